// What Swift's Glibc module does not show, for it is behind _GNU_SOURCE: pipe2, the descriptor actions of posix_spawn,
// SCHED_BATCH.
#define _GNU_SOURCE
#include "process.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/resource.h>
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

int process_spawn(pid_t *pid, const char *path, const char *directory, char *const arguments[],
                  char *const environment[], int input, int output, int errors, int niceness, long long reserve) {
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
    int result = posix_spawn(pid, path, &actions, &attributes, arguments, environment);
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
