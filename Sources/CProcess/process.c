// What Swift's Glibc module does not show, for it is behind _GNU_SOURCE or no function of it: pipe2, the descriptor
// actions of posix_spawn, SCHED_BATCH, Landlock.
#define _GNU_SOURCE
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int process_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }

// The kernel kills whoever scores highest when memory ends; the daemon scores as it was started.
static void volunteer(pid_t pid) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/oom_score_adj", (int)pid);
    int file = open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0) return;
    ssize_t ignored = write(file, "500", 3);
    (void)ignored;
    close(file);
}

// MARK: Landlock, as Documentation/userspace-api/landlock.rst has it; Debian 12's headers know less than newer kernels.

enum {
    create_ruleset = 444,
    add_rule = 445,
    restrict_self = 446,
    read_version = 1,
    path_beneath = 1,
};

// Rights on files, by bit: execute, write, read, list; then removing, making, moving (2), truncating (3).
enum {
    execute = 1 << 0,
    write_file = 1 << 1,
    read_file = 1 << 2,
    read_folder = 1 << 3,
    change_folders = 0x1FFF & ~15,
    refer = 1 << 13,
    truncate_file = 1 << 14,
};

struct ruleset {
    uint64_t files, network, scopes;
};

struct path_rule {
    uint64_t allowed;
    int32_t parent;
} __attribute__((packed));

int process_landlock_version(void) {
    long version = syscall(create_ruleset, NULL, 0, read_version);
    return version < 0 ? 0 : (int)version;
}

static void allow(int ruleset, char *const *paths, uint64_t rights) {
    for (; *paths; paths++) {
        int file = open(*paths, O_PATH | O_CLOEXEC);
        if (file < 0) continue;
        struct stat status;
        // A file has no rights of folders.
        uint64_t own = fstat(file, &status) == 0 && S_ISDIR(status.st_mode)
            ? rights : rights & (execute | write_file | read_file | truncate_file);
        const struct path_rule rule = {.allowed = own, .parent = file};
        syscall(add_rule, ruleset, path_beneath, &rule, 0);
        close(file);
    }
}

// Confines the calling thread, and so what it starts, for good. Gives 0, or an error number.
static int confine(const struct process_confinement *confinement, int version) {
    uint64_t files = execute | write_file | read_file | read_folder | change_folders;
    if (version >= 2) files |= refer;
    if (version >= 3) files |= truncate_file;
    const struct ruleset attributes = {.files = files, .network = 3, .scopes = 3};
    size_t size = version >= 6 ? sizeof attributes : version >= 4 ? 2 * sizeof(uint64_t) : sizeof(uint64_t);
    int ruleset = (int)syscall(create_ruleset, &attributes, size, 0);
    if (ruleset < 0) return errno;
    allow(ruleset, confinement->readable, execute | read_file | read_folder);
    allow(ruleset, confinement->writable, files & ~execute);
    int result = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || syscall(restrict_self, ruleset, 0) ? errno : 0;
    close(ruleset);
    return result;
}

// MARK: Starting

struct start {
    pid_t *pid;
    const char *path;
    posix_spawn_file_actions_t *actions;
    posix_spawnattr_t *attributes;
    char *const *arguments, *const *environment;
    const struct process_confinement *confinement;
    int version, result;
};

static void *start_confined(void *argument) {
    struct start *start = argument;
    start->result = confine(start->confinement, start->version);
    if (start->result == 0)
        start->result = posix_spawn(
            start->pid, start->path, start->actions, start->attributes, start->arguments, start->environment);
    return NULL;
}

// On a thread that ends with it: a thread that is confined stays so.
static int start_elsewhere(struct start *start) {
    pthread_t thread;
    int result = pthread_create(&thread, NULL, start_confined, start);
    if (result) return result;
    pthread_join(thread, NULL);
    return start->result;
}

int process_spawn(pid_t *pid, const char *path, const char *directory, char *const arguments[],
                  char *const environment[], int input, int output, int errors, int niceness, long long reserve,
                  const struct process_confinement *confinement) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    const struct sched_param parameters = {.sched_priority = 0};
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_adddup2(&actions, input, 0);
    posix_spawn_file_actions_adddup2(&actions, output, 1);
    posix_spawn_file_actions_adddup2(&actions, errors, 2);
    posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    posix_spawn_file_actions_addchdir_np(&actions, directory);
    // Signals as a fresh process has them: an ignored SIGTERM would be inherited, and such an engine cannot be asked to
    // stop.
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    int version = confinement ? process_landlock_version() : 0;
    struct start start = {pid, path, &actions, &attributes, arguments, environment, confinement, version, 0};
    int result = version ? start_elsewhere(&start)
                         : posix_spawn(pid, path, &actions, &attributes, arguments, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    // Before it gets its order, so before it makes a thread: threads inherit. Control before work, measured: beside a
    // busy engine of normal priority a commit takes twenty times longer. posix_spawn itself refuses the batch policy.
    if (result == 0) {
        setpriority(PRIO_PROCESS, (id_t)*pid, niceness);
        sched_setscheduler(*pid, SCHED_BATCH, &parameters);
        const struct rlimit limit = {.rlim_cur = (rlim_t)reserve, .rlim_max = (rlim_t)reserve};
        if (reserve > 0) prlimit(*pid, RLIMIT_DATA, &limit, NULL);
        volunteer(*pid);
    }
    return result;
}
