// How many processors this process has: those it may run on, and no more than the control groups it lies in are given
// time for. Threads beyond these spend the time of a period at its start, and then all of them wait for the next: in a
// container with the time of two processors on a host with 64, the work of two would take as long as on a fraction of
// one.
#define _GNU_SOURCE
#include "include/kernels.h"
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

// The numbers that a file of `folder` begins with, two at most; gives how many there are.
static int read_numbers(const char *folder, const char *file, long *first, long *second) {
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/%s", folder, file) >= (int)sizeof path) return 0;
    FILE *stream = fopen(path, "re");
    if (!stream) return 0;
    int count = fscanf(stream, "%ld %ld", first, second);
    fclose(stream);
    return count;
}

long atelier_processor_quota(const char *group) {
    long quota = 0, period = 0, none;
    // Linux's second version of control groups has both numbers in one file, or the word max; the first has two files.
    bool is_known = read_numbers(group, "cpu.max", &quota, &period) == 2
        || (read_numbers(group, "cpu.cfs_quota_us", &quota, &none) >= 1
            && read_numbers(group, "cpu.cfs_period_us", &period, &none) >= 1);
    return is_known && quota > 0 && period > 0 ? (quota - 1) / period + 1 : 0;
}

// The least quota of the group at `path` below `root` and of those it lies in; 0 where none has one.
static long least_quota(const char *root, const char *path) {
    char group[PATH_MAX];
    if (snprintf(group, sizeof group, "%s%s", root, path) >= (int)sizeof group) return 0;
    for (long least = 0;;) {
        long quota = atelier_processor_quota(group);
        if (quota > 0 && (least == 0 || quota < least)) least = quota;
        char *name = strrchr(group + strlen(root), '/');
        if (!name) return least;
        *name = 0;
    }
}

// That of this process; 0 where it has none.
static long own_quota(void) {
    FILE *groups = fopen("/proc/self/cgroup", "re");
    if (!groups) return 0;
    char line[PATH_MAX];
    long least = 0;
    while (fgets(line, sizeof line, groups)) {
        // number:controllers:path, without controllers in the second version.
        line[strcspn(line, "\n")] = 0;
        char *controllers = strchr(line, ':'), *path = controllers ? strchr(controllers + 1, ':') : NULL;
        if (!path) continue;
        *path++ = 0;
        controllers++;
        bool is_first_version = strcmp(controllers, "cpu") == 0 || strncmp(controllers, "cpu,", 4) == 0;
        if (*controllers && !is_first_version) continue;
        long quota = least_quota(is_first_version ? "/sys/fs/cgroup/cpu" : "/sys/fs/cgroup", path);
        if (quota > 0 && (least == 0 || quota < least)) least = quota;
    }
    fclose(groups);
    return least;
}

long atelier_processor_count(void) {
    cpu_set_t set;
    long count = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1, quota = own_quota();
    return quota > 0 && quota < count ? quota : count;
}
