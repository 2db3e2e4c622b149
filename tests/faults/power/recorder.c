// Records what programs change in one folder, in the order of their calls, for a test that replays a power cut.
//
// The kernel traps the calls (seccomp), because some of a Rust program do not pass through the C library.
// Syncs are recorded and not done: the test decides what reaches the disk.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <ucontext.h>
#include <unistd.h>

#if defined(__x86_64__)
#define THIS_ARCHITECTURE AUDIT_ARCH_X86_64
#define RESULT(context) ((context)->uc_mcontext.gregs[REG_RAX])
static const int ARGUMENTS[] = {REG_RDI, REG_RSI, REG_RDX, REG_R10, REG_R8};
#define ARGUMENT(context, nth) ((context)->uc_mcontext.gregs[ARGUMENTS[nth]])
#elif defined(__aarch64__)
#define THIS_ARCHITECTURE AUDIT_ARCH_AARCH64
#define RESULT(context) ((context)->uc_mcontext.regs[0])
#define ARGUMENT(context, nth) ((context)->uc_mcontext.regs[nth])
#else
#error "the registers of this machine are not known"
#endif

// The sixth argument of the recorder's own calls, which are not trapped. No trapped call has six.
#define OWN 0x426F7431

enum change { CREATE = 1, WRITE, TRUNCATE, SYNC, RENAME, UNLINK, LINK, MAKE_FOLDER, SYNC_FOLDER };

// Precedes the two paths and the data of a record.
struct header {
    uint64_t change, inode, at, path_length, to_length, data_length;
};

static char folder[PATH_MAX], full[PATH_MAX];
static int journal = -1;
static atomic_flag busy = ATOMIC_FLAG_INIT;

// A system call of the recorder itself; below 0 it is the negative error.
static long call(long number, long a, long b, long c, long d, long e) {
    long result = syscall(number, a, b, c, d, e, OWN);
    return result == -1 ? -errno : result;
}

// One thread of one program at a time. The kernel drops the lock of a program that is killed.
static void lock(void) {
    while (atomic_flag_test_and_set(&busy)) call(SYS_sched_yield, 0, 0, 0, 0, 0);
    call(SYS_flock, journal, LOCK_EX, 0, 0, 0);
}

static void unlock(void) {
    call(SYS_flock, journal, LOCK_UN, 0, 0, 0);
    atomic_flag_clear(&busy);
}

static void record(enum change change, uint64_t inode, uint64_t at, const char *path, const char *to,
                   const void *data, size_t length) {
    struct header header = {change, inode, at, strlen(path), strlen(to), length};
    struct iovec parts[] = {{&header, sizeof header}, {(void *)path, header.path_length},
                            {(void *)to, header.to_length}, {(void *)data, length}};
    if (call(SYS_writev, journal, (long)parts, 4, 0, 0) < (long)(sizeof header + length)) abort();
}

// Puts the path relative to the folder into `name`; false outside of the folder.
static int is_inside(const char *path, char *name) {
    size_t length = strlen(folder);
    if (strncmp(path, folder, length) != 0 || (path[length] != '/' && path[length] != 0)) return 0;
    strcpy(name, path[length] ? path + length + 1 : "");
    return 1;
}

static int read_link(const char *link, char *path) {
    long length = call(SYS_readlinkat, AT_FDCWD, (long)link, (long)path, PATH_MAX - 1, 0);
    path[length < 0 ? 0 : length] = 0;
    return length > 0;
}

static int is_open_inside(int fd, char *name) {
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    return read_link(link, path) && is_inside(path, name);
}

static int is_path_inside(int at, const char *path, char *name) {
    char link[64] = "/proc/self/cwd", whole[PATH_MAX];
    if (path[0] == '/') return is_inside(path, name);
    if (at != AT_FDCWD) snprintf(link, sizeof link, "/proc/self/fd/%d", at);
    if (!read_link(link, whole)) return 0;
    if (strncmp(path, "./", 2) == 0) path += 2;
    size_t length = strlen(whole);
    if (length + strlen(path) + 2 > sizeof whole) return 0;
    whole[length] = '/';
    strcpy(whole + length + 1, path);
    return is_inside(whole, name);
}

static int is_full(void) { return call(SYS_faccessat, AT_FDCWD, (long)full, F_OK, 0, 0) == 0; }

// SQLite maps the index of its log into memory, so writes to it cannot be seen.
static int is_index(const char *name) {
    size_t length = strlen(name);
    return length > 4 && strcmp(name + length - 4, "-shm") == 0;
}

// Finds the inode of a file in the folder.
static int is_recorded(int fd, struct stat *file) {
    char name[PATH_MAX];
    return call(SYS_fstat, fd, (long)file, 0, 0, 0) == 0 && S_ISREG(file->st_mode) &&
           is_open_inside(fd, name) && !is_index(name);
}

static long on_write(int fd, const char *from, size_t size, int64_t at) {
    struct stat file;
    int is_positioned = at >= 0;
    long number = is_positioned ? SYS_pwrite64 : SYS_write;
    if (!is_recorded(fd, &file)) return call(number, fd, (long)from, size, at, 0);
    lock();
    call(SYS_fstat, fd, (long)&file, 0, 0, 0);
    if (!is_positioned) {
        int appends = call(SYS_fcntl, fd, F_GETFL, 0, 0, 0) & O_APPEND;
        at = appends ? file.st_size : call(SYS_lseek, fd, 0, SEEK_CUR, 0, 0);
    }
    long result = -ENOSPC;
    if (at + (int64_t)size <= file.st_size || !is_full()) {
        result = call(number, fd, (long)from, size, at, 0);
        if (result > 0) record(WRITE, file.st_ino, at, "", "", from, result);
    }
    unlock();
    return result;
}

// Writes the first part that is not empty, as any write may do less than it was asked to.
static long on_writev(int fd, const struct iovec *parts, int count) {
    struct stat file;
    if (!is_recorded(fd, &file)) return call(SYS_writev, fd, (long)parts, count, 0, 0);
    while (count > 1 && parts->iov_len == 0) parts++, count--;
    return count < 1 ? 0 : on_write(fd, parts->iov_base, parts->iov_len, -1);
}

static long on_truncate(int fd, int64_t length) {
    struct stat file;
    if (!is_recorded(fd, &file)) return call(SYS_ftruncate, fd, length, 0, 0, 0);
    lock();
    long result = call(SYS_ftruncate, fd, length, 0, 0, 0);
    if (result == 0) record(TRUNCATE, file.st_ino, length, "", "", NULL, 0);
    unlock();
    return result;
}

static long on_sync(long number, int fd) {
    struct stat file;
    char name[PATH_MAX];
    if (call(SYS_fstat, fd, (long)&file, 0, 0, 0) < 0 || !is_open_inside(fd, name))
        return call(number, fd, 0, 0, 0, 0);
    lock();
    int is_folder = S_ISDIR(file.st_mode);
    record(is_folder ? SYNC_FOLDER : SYNC, file.st_ino, 0, is_folder ? name : "", "", NULL, 0);
    unlock();
    return 0;
}

static long on_open(int at, const char *path, int flags, int mode) {
    char name[PATH_MAX];
    struct stat file;
    if (!is_path_inside(at, path, name)) return call(SYS_openat, at, (long)path, flags, mode, 0);
    lock();
    int existed = call(SYS_faccessat, at, (long)path, F_OK, 0, 0) == 0;
    long fd = -ENOSPC;
    if (existed || !is_full()) fd = call(SYS_openat, at, (long)path, flags, mode, 0);
    if (fd >= 0) {
        call(SYS_fstat, fd, (long)&file, 0, 0, 0);
        if (!existed) record(CREATE, file.st_ino, 0, name, "", NULL, 0);
        else if (flags & O_TRUNC && !is_index(name)) record(TRUNCATE, file.st_ino, 0, "", "", NULL, 0);
    }
    unlock();
    return fd;
}

// A call that changes the one or two names at its arguments; `to` is null for one.
static long on_name(enum change change, long number, const long *a, int at, const char *path, int to_at,
                    const char *to) {
    char name[PATH_MAX] = "", to_name[PATH_MAX] = "";
    // The folder itself is none of its own names.
    int is_ours = is_path_inside(at, path, name) && name[0];
    if (to) is_ours |= is_path_inside(to_at, to, to_name);
    if (!is_ours) return call(number, a[0], a[1], a[2], a[3], a[4]);
    lock();
    long result = call(number, a[0], a[1], a[2], a[3], a[4]);
    if (result == 0) record(change, 0, 0, name, to_name, NULL, 0);
    unlock();
    return result;
}

static const int TRAPPED[] = {
    SYS_write, SYS_pwrite64, SYS_writev, SYS_ftruncate, SYS_fsync, SYS_fdatasync,
    SYS_renameat, SYS_renameat2, SYS_unlinkat, SYS_linkat, SYS_mkdirat,
#ifdef SYS_rename
    SYS_rename, SYS_unlink, SYS_link, SYS_mkdir,
#endif
};

// Programs use these where there are some, and others where there are none.
static const int ABSENT[] = {SYS_copy_file_range, SYS_sendfile, SYS_fallocate, SYS_pwritev, SYS_pwritev2};

static long on_call(long number, const long *a) {
    switch (number) {
    case SYS_write: return on_write(a[0], (char *)a[1], a[2], -1);
    case SYS_pwrite64: return on_write(a[0], (char *)a[1], a[2], a[3]);
    case SYS_writev: return on_writev(a[0], (struct iovec *)a[1], a[2]);
    case SYS_ftruncate: return on_truncate(a[0], a[1]);
    case SYS_fsync:
    case SYS_fdatasync: return on_sync(number, a[0]);
    case SYS_openat: return on_open(a[0], (char *)a[1], a[2], a[3]);
    case SYS_renameat:
    case SYS_renameat2: return on_name(RENAME, number, a, a[0], (char *)a[1], a[2], (char *)a[3]);
    case SYS_unlinkat: return on_name(UNLINK, number, a, a[0], (char *)a[1], 0, NULL);
    case SYS_linkat: return on_name(LINK, number, a, a[0], (char *)a[1], a[2], (char *)a[3]);
    case SYS_mkdirat: return on_name(MAKE_FOLDER, number, a, a[0], (char *)a[1], 0, NULL);
#ifdef SYS_rename
    case SYS_rename: return on_name(RENAME, number, a, AT_FDCWD, (char *)a[0], AT_FDCWD, (char *)a[1]);
    case SYS_unlink: return on_name(UNLINK, number, a, AT_FDCWD, (char *)a[0], 0, NULL);
    case SYS_link: return on_name(LINK, number, a, AT_FDCWD, (char *)a[0], AT_FDCWD, (char *)a[1]);
    case SYS_mkdir: return on_name(MAKE_FOLDER, number, a, AT_FDCWD, (char *)a[0], 0, NULL);
#endif
    default: abort();
    }
}

static void on_trap(int signal, siginfo_t *info, void *at) {
    (void)signal;
    ucontext_t *context = at;
    int error = errno;
    long arguments[5];
    for (int nth = 0; nth < 5; nth++) arguments[nth] = ARGUMENT(context, nth);
    RESULT(context) = on_call(info->si_syscall, arguments);
    errno = error;
}

// Appends "if the call is `number`, return `action`".
static struct sock_filter *on(struct sock_filter *next, int number, uint32_t action) {
    *next++ = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1);
    *next++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action);
    return next;
}

#define LENGTH(array) (sizeof(array) / sizeof *(array))
#define LOAD(field) (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))

static int trap(void) {
    struct sock_filter filter[16 + 2 * (LENGTH(TRAPPED) + LENGTH(ABSENT))], *next = filter;
    struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    *next++ = LOAD(arch);
    *next++ = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, THIS_ARCHITECTURE, 1, 0);
    *next++ = allow;
    *next++ = LOAD(args[5]);
    next = on(next, OWN, SECCOMP_RET_ALLOW);
    *next++ = LOAD(nr);
    for (size_t nth = 0; nth < LENGTH(TRAPPED); nth++) next = on(next, TRAPPED[nth], SECCOMP_RET_TRAP);
    for (size_t nth = 0; nth < LENGTH(ABSENT); nth++)
        next = on(next, ABSENT[nth], SECCOMP_RET_ERRNO | ENOSYS);
    // A file that is opened is of interest only if that may create or truncate it.
    *next++ = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 1, 0);
    *next++ = allow;
    *next++ = LOAD(args[2]);
    *next++ = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, O_CREAT | O_TRUNC, 0, 1);
    *next++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP);
    *next++ = allow;
    struct sock_fprog program = {next - filter, filter};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) | prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("BOTTLE_JOURNAL"), *recorded = getenv("BOTTLE_JOURNAL_FOLDER");
    if (!path || !recorded) return;
    snprintf(folder, sizeof folder, "%s", recorded);
    snprintf(full, sizeof full, "%s.full", path);
    journal = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    struct sigaction action = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO};
    sigemptyset(&action.sa_mask);
    if (journal < 0 || sigaction(SIGSYS, &action, NULL) != 0 || trap() != 0) {
        perror("power cuts cannot be recorded");
        abort();
    }
}
