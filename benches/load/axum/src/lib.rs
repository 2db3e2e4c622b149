//! What one would write by hand with axum and rusqlite: the same responses as Bottle's, for the same
//! cookie, from a file with the same bottles.
//!
//! It takes nothing from Bottle, so that it can be built as anybody would build it.

pub mod nearby;
pub mod session;
pub mod throws;

use std::future::Future;
use std::net::TcpListener;
use std::thread;

use axum::Router;
use axum::serve::ListenerExt;

/// Any error, for the terminal.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Serves `app` on a loopback port until it is killed.
async fn serve(app: Router, listener: TcpListener) -> Result<()> {
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?.tap_io(|socket| {
        // A response is written in one piece; waiting for more data would only delay it.
        let _ = socket.set_nodelay(true);
    });
    axum::serve(listener, app).await?;
    Ok(())
}

fn listen(port: u16) -> Result<TcpListener> {
    Ok(TcpListener::bind(("127.0.0.1", port))?)
}

/// One runtime over all cores.
fn run_shared(served: impl Future<Output = Result<()>>) -> Result<()> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(served)
}

/// One runtime per core, all accepting from one listener.
fn run_per_core(app: &Router, listener: &TcpListener) -> Result<()> {
    let cores = thread::available_parallelism()?.get();
    thread::scope(|scope| {
        let workers: Vec<_> = (0..cores)
            .map(|_| {
                scope.spawn(|| {
                    let runtime =
                        tokio::runtime::Builder::new_current_thread().enable_all().build()?;
                    runtime.block_on(serve(app.clone(), listener.try_clone()?))
                })
            })
            .collect();
        workers.into_iter().try_for_each(|w| w.join().map_err(|_| "a runtime panicked")?)
    })
}
