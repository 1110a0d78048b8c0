// A fixed crew of worker threads for short kernels. Workers spin for a few microseconds before they sleep on a futex, so that
// a sequence of kernels 20 µs apart does not pay a wake-up each. One caller has the crew at a time and another waits,
// so that work is always split the same way and gives the same bits.
#define _GNU_SOURCE
#include "include/kernels.h"
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { maximum_threads = 64, spins = 4000 };

static struct {
    pthread_once_t once;
    long threads;
    _Atomic uint32_t generation; // a new piece of work
    _Atomic uint32_t sleeping;
    _Atomic long remaining;
    void (*body)(void *, long, long);
    void *context;
    long count, chunk;
} crew = {.once = PTHREAD_ONCE_INIT};

static pthread_mutex_t crew_is_taken = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local bool inside = false;

static void run_share(long index) {
    long begin = index * crew.chunk;
    long end = begin + crew.chunk < crew.count ? begin + crew.chunk : crew.count;
    if (begin < end) crew.body(crew.context, begin, end);
}

static void *work(void *argument) {
    long index = (long)argument;
    uint32_t seen = 0;
    inside = true;
    for (;;) {
        uint32_t now = atomic_load_explicit(&crew.generation, memory_order_acquire);
        for (int i = 0; now == seen && i < spins; i++) {
            __builtin_ia32_pause();
            now = atomic_load_explicit(&crew.generation, memory_order_acquire);
        }
        while (now == seen) {
            atomic_fetch_add(&crew.sleeping, 1);
            syscall(SYS_futex, &crew.generation, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
            atomic_fetch_sub(&crew.sleeping, 1);
            now = atomic_load_explicit(&crew.generation, memory_order_acquire);
        }
        seen = now;
        run_share(index);
        atomic_fetch_sub_explicit(&crew.remaining, 1, memory_order_release);
    }
    return NULL;
}

static void start(void) {
    const char *wanted = getenv("ATELIER_THREADS");
    cpu_set_t set;
    long threads = wanted ? strtol(wanted, NULL, 10) : 0;
    if (threads <= 0) threads = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    crew.threads = threads > maximum_threads ? maximum_threads : threads;
    for (long i = 1; i < crew.threads; i++) {
        pthread_t thread;
        pthread_attr_t attributes;
        pthread_attr_init(&attributes);
        pthread_attr_setstacksize(&attributes, 8 << 20);
        if (pthread_create(&thread, &attributes, work, (void *)i) != 0) {
            crew.threads = i; // fewer workers are slower, never wrong
            return;
        }
        pthread_detach(thread);
    }
}

long atelier_thread_count(void) {
    pthread_once(&crew.once, start);
    return crew.threads;
}

void atelier_parallel(long count, long grain, void (*body)(void *, long, long), void *context) {
    if (count <= 0) return;
    long threads = inside ? 1 : atelier_thread_count();
    if (grain < 1) grain = 1;
    long grains = (count + grain - 1) / grain;
    if (threads == 1 || grains == 1) { body(context, 0, count); return; }
    pthread_mutex_lock(&crew_is_taken);
    crew.body = body;
    crew.context = context;
    crew.count = count;
    crew.chunk = (grains + threads - 1) / threads * grain;
    atomic_store_explicit(&crew.remaining, threads - 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&crew.generation, 1, memory_order_seq_cst);
    if (atomic_load_explicit(&crew.sleeping, memory_order_seq_cst) > 0)
        syscall(SYS_futex, &crew.generation, FUTEX_WAKE_PRIVATE, maximum_threads, NULL, NULL, 0);
    inside = true; // nested calls run serially
    run_share(0);
    inside = false;
    for (long i = 0; atomic_load_explicit(&crew.remaining, memory_order_acquire) > 0; i++) {
        if (i < spins) __builtin_ia32_pause(); else sched_yield();
    }
    pthread_mutex_unlock(&crew_is_taken);
}
