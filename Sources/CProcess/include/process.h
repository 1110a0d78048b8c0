#pragma once

#include <sys/types.h>

/// Two ends of a pipe, closed on exec. Returns 0, or -1 with `errno`.
int process_pipe(int ends[2]);

/// Starts `path` in a new process group, with the batch scheduler at `niceness`, fresh signal dispositions and an empty
/// mask, in the folder `directory`, with `input`, `output` and `errors` as its three standard descriptors and no
/// others. It may reserve `reserve` bytes of memory of its own (0: any), and is the first to go when the machine has
/// none left. Writes the process id to `pid` and returns 0, or returns an error number.
int process_spawn(pid_t *pid, const char *path, const char *directory, char *const arguments[],
                  char *const environment[], int input, int output, int errors, int niceness, long long reserve);
