// Stands between the program and the C library: turns the clock, makes calls on the database fail, and kills
// the program before a call that changes a file.
// What it does is told by a file that the tests write to while the program runs.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

struct control {
    _Atomic int64_t clock_offset;  // seconds
    _Atomic int64_t calls_before;  // calls on the database that still succeed; below 0: no fault
    _Atomic int64_t calls_failing; // how many fail after those
    _Atomic int64_t calls_failed;  // how many have failed
    _Atomic int64_t changes_before; // calls that change any file before the program is killed; below 0: never
    _Atomic int64_t no_links;      // whether the disk knows no hard links
};

static struct control *control;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("BOTTLE_SHIM");
    int fd = path ? open(path, O_RDWR) : -1;
    if (fd < 0) return;
    void *at = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (at != MAP_FAILED) control = at;
    close(fd);
}

static int is_database(int fd) {
    char link[64], name[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, name, sizeof name - 1);
    if (length <= 0) return 0;
    name[length] = 0;
    return strstr(name, "bottle.db") != NULL;
}

static void changes(void) {
    if (!control || atomic_load(&control->changes_before) < 0) return;
    if (atomic_fetch_sub(&control->changes_before, 1) == 0) kill(getpid(), SIGKILL);
}

static int fails(int fd) {
    if (!control || atomic_load(&control->calls_before) < 0 || !is_database(fd)) return 0;
    if (atomic_load(&control->calls_before) > 0) {
        atomic_fetch_sub(&control->calls_before, 1);
        return 0;
    }
    if (atomic_fetch_sub(&control->calls_failing, 1) <= 0) {
        atomic_store(&control->calls_before, -1);
        return 0;
    }
    atomic_fetch_add(&control->calls_failed, 1);
    errno = EIO;
    return 1;
}

// Each call looks its original up once.
#define ORIGINAL(name, ...)                                                                            \
    static __typeof__(name) *original;                                                                 \
    if (!original) original = (__typeof__(name) *)dlsym(RTLD_NEXT, #name);                             \
    return original(__VA_ARGS__)

#define FAILING(type, name, parameters, ...)                                                           \
    type name parameters {                                                                             \
        if (fails(fd)) return -1;                                                                      \
        ORIGINAL(name, __VA_ARGS__);                                                                   \
    }

#define FAILING_CHANGE(type, name, parameters, ...)                                                    \
    type name parameters {                                                                             \
        changes();                                                                                     \
        if (fails(fd)) return -1;                                                                      \
        ORIGINAL(name, __VA_ARGS__);                                                                   \
    }

#define CHANGE(type, name, parameters, ...)                                                            \
    type name parameters {                                                                             \
        changes();                                                                                     \
        ORIGINAL(name, __VA_ARGS__);                                                                   \
    }

FAILING(ssize_t, read, (int fd, void *to, size_t size), fd, to, size)
FAILING(ssize_t, pread, (int fd, void *to, size_t size, off_t at), fd, to, size, at)
FAILING(ssize_t, pread64, (int fd, void *to, size_t size, off64_t at), fd, to, size, at)
FAILING_CHANGE(ssize_t, write, (int fd, const void *from, size_t size), fd, from, size)
FAILING_CHANGE(ssize_t, pwrite, (int fd, const void *from, size_t size, off_t at), fd, from, size, at)
FAILING_CHANGE(ssize_t, pwrite64, (int fd, const void *from, size_t size, off64_t at), fd, from, size, at)
FAILING_CHANGE(int, fsync, (int fd), fd)
FAILING_CHANGE(int, fdatasync, (int fd), fd)
FAILING_CHANGE(int, ftruncate, (int fd, off_t size), fd, size)
FAILING_CHANGE(int, ftruncate64, (int fd, off64_t size), fd, size)
CHANGE(int, unlink, (const char *path), path)
CHANGE(int, rename, (const char *from, const char *to), from, to)

int linkat(int from, const char *path, int to, const char *name, int flags) {
    changes();
    if (control && atomic_load(&control->no_links)) {
        errno = EPERM;
        return -1;
    }
    ORIGINAL(linkat, from, path, to, name, flags);
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    static __typeof__(clock_gettime) *original;
    if (!original) original = (__typeof__(clock_gettime) *)dlsym(RTLD_NEXT, "clock_gettime");
    int result = original(clock, time);
    if (result == 0 && control && clock == CLOCK_REALTIME)
        time->tv_sec += atomic_load(&control->clock_offset);
    return result;
}
