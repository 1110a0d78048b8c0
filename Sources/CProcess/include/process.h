#pragma once

#include <sys/types.h>

/// Two ends of a pipe, closed on exec. Returns 0, or -1 with `errno`.
int process_pipe(int ends[2]);

/// What a process may reach of the file system, by Landlock: what lies beneath these paths, and nothing else. Each list
/// ends with NULL; what is not there is passed over. It also connects to nobody by TCP, binds no port, and traces and
/// signals nobody outside, as far as the kernel knows how to forbid that.
struct process_confinement {
    char *const *readable;
    char *const *writable;
};

/// The version of Landlock that this kernel offers; 0 where it has none.
int process_landlock_version(void);

/// Starts `path` in a new process group, with the batch scheduler at `niceness`, fresh signal dispositions and an empty
/// mask, in the folder `directory`, with `input`, `output` and `errors` as its three standard descriptors and no
/// others. It may reserve `reserve` bytes of memory of its own (0: any), and is the first to go when the machine has
/// none left. With `confinement` it reaches no more than that says, where the kernel can hold it to that; NULL confines
/// it to nothing. Writes the process id to `pid` and returns 0, or returns an error number.
int process_spawn(pid_t *pid, const char *path, const char *directory, char *const arguments[],
                  char *const environment[], int input, int output, int errors, int niceness, long long reserve,
                  const struct process_confinement *confinement);
