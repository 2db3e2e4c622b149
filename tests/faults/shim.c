// Stands between the program and the C library: turns the clock, makes calls on the database fail, kills the
// program before a call that changes a file, takes away file locks, and makes SQLite's allocations fail.
// What it does is told by a file that the tests write to while the program runs.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
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
    _Atomic int64_t locks;         // 0: whole files are locked as ever; 1: each lock is granted; 2: none is known
    _Atomic int64_t allocations_before;  // SQLite's allocations that still succeed; below 0: no fault
    _Atomic int64_t allocations_failing; // how many fail after those
    _Atomic int64_t allocations_failed;  // how many have failed
};

static struct control *control;

// What SQLite allocates by, as sqlite3.h declares it.
struct methods {
    void *(*allocate)(int);
    void (*release)(void *);
    void *(*reallocate)(void *, int);
    int (*size)(void *);
    int (*round_up)(int);
    int (*begin)(void *);
    void (*end)(void *);
    void *data;
};

static struct methods plain;

// Counts one of two numbers down: first those that succeed, then those that fail.
static int counts_out(_Atomic int64_t *before, _Atomic int64_t *failing, _Atomic int64_t *failed) {
    if (atomic_load(before) < 0) return 0;
    if (atomic_load(before) > 0) {
        atomic_fetch_sub(before, 1);
        return 0;
    }
    if (atomic_fetch_sub(failing, 1) <= 0) {
        atomic_store(before, -1);
        return 0;
    }
    atomic_fetch_add(failed, 1);
    return 1;
}

static int is_out_of_memory(void) {
    return counts_out(&control->allocations_before, &control->allocations_failing, &control->allocations_failed);
}

static void *allocate(int size) { return is_out_of_memory() ? NULL : plain.allocate(size); }

static void *reallocate(void *at, int size) { return is_out_of_memory() ? NULL : plain.reallocate(at, size); }

static int first_base(struct dl_phdr_info *object, size_t size, void *base) {
    (void)size;
    *(uintptr_t *)base = object->dlpi_addr;
    return 1; // the program itself is the first object
}

// The address of a function of the program that it does not export, by its table of symbols.
static void *own_function(const char *name) {
    int fd = open("/proc/self/exe", O_RDONLY);
    struct stat file;
    if (fd < 0 || fstat(fd, &file) < 0) return NULL;
    char *all = mmap(NULL, file.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    if (all == MAP_FAILED) return NULL;
    uintptr_t base = 0, found = 0;
    dl_iterate_phdr(first_base, &base);
    ElfW(Ehdr) *elf = (ElfW(Ehdr) *)all;
    ElfW(Shdr) *sections = (ElfW(Shdr) *)(all + elf->e_shoff);
    for (int i = 0; i < elf->e_shnum && !found; i++) {
        if (sections[i].sh_type != SHT_SYMTAB) continue;
        const char *names = all + sections[sections[i].sh_link].sh_offset;
        ElfW(Sym) *symbols = (ElfW(Sym) *)(all + sections[i].sh_offset);
        for (size_t n = 0; n < sections[i].sh_size / sizeof *symbols && !found; n++)
            if (strcmp(names + symbols[n].st_name, name) == 0) found = symbols[n].st_value;
    }
    munmap(all, file.st_size);
    return found ? (void *)(base + found) : NULL;
}

// Puts itself between SQLite and its allocator, by SQLite's own means, before the program begins.
static void watch_allocations(void) {
    enum { SET_MALLOC = 4, GET_MALLOC = 5 };
    int (*configure)(int, ...) = (int (*)(int, ...))own_function("sqlite3_config");
    if (!configure || configure(GET_MALLOC, &plain) != 0) return;
    struct methods watched = plain;
    watched.allocate = allocate;
    watched.reallocate = reallocate;
    configure(SET_MALLOC, &watched);
}

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("BOTTLE_SHIM");
    int fd = path ? open(path, O_RDWR) : -1;
    if (fd < 0) return;
    void *at = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (at != MAP_FAILED) control = at;
    close(fd);
    if (control && getenv("BOTTLE_SHIM_MEMORY")) watch_allocations();
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
    if (!counts_out(&control->calls_before, &control->calls_failing, &control->calls_failed)) return 0;
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

int flock(int fd, int operation) {
    int64_t locks = control ? atomic_load(&control->locks) : 0;
    if (locks == 1) return 0;
    if (locks == 2) {
        errno = ENOLCK;
        return -1;
    }
    ORIGINAL(flock, fd, operation);
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    static __typeof__(clock_gettime) *original;
    if (!original) original = (__typeof__(clock_gettime) *)dlsym(RTLD_NEXT, "clock_gettime");
    int result = original(clock, time);
    if (result == 0 && control && clock == CLOCK_REALTIME)
        time->tv_sec += atomic_load(&control->clock_offset);
    return result;
}
