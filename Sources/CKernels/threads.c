// A fixed crew of worker threads for short kernels. Workers spin for a few microseconds before they sleep on a futex,
// so that a sequence of kernels 20 µs apart does not pay a wake-up each. One caller has the crew at a time and another
// waits.
//
// A piece of work is split into as many shares as there are threads, always the same way, so that it gives the same
// bits; who takes which share is first come, first served. A worker that the machine keeps waiting therefore delays
// nobody: the caller takes its share. (With fixed shares, drawing beside two busy processes on two cores took 18 times
// as long as on one thread.)
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

// Tells the processor that this thread only waits.
static inline void relax(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static struct {
    pthread_once_t once;
    long threads;
    _Atomic uint32_t generation; // a new piece of work
    _Atomic uint32_t sleeping;
    _Atomic uint64_t claims;     // the generation in the high half, the next share to take in the low half
    _Atomic long remaining;      // shares not done
    void (*body)(void *, long, long);
    void *context;
    long count, chunk;
} crew = {.once = PTHREAD_ONCE_INIT};

static pthread_mutex_t crew_is_taken = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local bool inside = false;

// Takes shares of piece `generation` until none is left. Nothing of `crew` but `claims` is read without a share in
// hand: the piece, and with it what `crew` says, cannot end before that share is done.
static void take_shares(uint32_t generation) {
    uint64_t claim = atomic_load_explicit(&crew.claims, memory_order_acquire);
    while (claim >> 32 == generation && (uint32_t)claim < (uint32_t)crew.threads) {
        if (!atomic_compare_exchange_weak_explicit(&crew.claims, &claim, claim + 1, memory_order_acq_rel,
                                                   memory_order_acquire))
            continue;
        long begin = (long)(uint32_t)claim * crew.chunk;
        long end = begin + crew.chunk < crew.count ? begin + crew.chunk : crew.count;
        if (begin < end) crew.body(crew.context, begin, end);
        atomic_fetch_sub_explicit(&crew.remaining, 1, memory_order_release);
        claim = atomic_load_explicit(&crew.claims, memory_order_acquire);
    }
}

static void *work(void *argument) {
    (void)argument;
    uint32_t seen = 0;
    inside = true;
    for (;;) {
        uint32_t now = atomic_load_explicit(&crew.generation, memory_order_acquire);
        for (int i = 0; now == seen && i < spins; i++) {
            relax();
            now = atomic_load_explicit(&crew.generation, memory_order_acquire);
        }
        while (now == seen) {
            atomic_fetch_add(&crew.sleeping, 1);
            syscall(SYS_futex, &crew.generation, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
            atomic_fetch_sub(&crew.sleeping, 1);
            now = atomic_load_explicit(&crew.generation, memory_order_acquire);
        }
        seen = now;
        take_shares(seen);
    }
    return NULL;
}

static void start(void) {
    const char *wanted = getenv("ATELIER_THREADS");
    long threads = wanted ? strtol(wanted, NULL, 10) : 0;
    if (threads <= 0) threads = atelier_processor_count();
    crew.threads = threads > maximum_threads ? maximum_threads : threads;
    for (long i = 1; i < crew.threads; i++) {
        pthread_t thread;
        pthread_attr_t attributes;
        pthread_attr_init(&attributes);
        pthread_attr_setstacksize(&attributes, 8 << 20);
        if (pthread_create(&thread, &attributes, work, NULL) != 0) {
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
    uint32_t generation = atomic_load_explicit(&crew.generation, memory_order_relaxed) + 1;
    atomic_store_explicit(&crew.remaining, threads, memory_order_relaxed);
    atomic_store_explicit(&crew.claims, (uint64_t)generation << 32, memory_order_release);
    atomic_store_explicit(&crew.generation, generation, memory_order_seq_cst);
    if (atomic_load_explicit(&crew.sleeping, memory_order_seq_cst) > 0)
        syscall(SYS_futex, &crew.generation, FUTEX_WAKE_PRIVATE, maximum_threads, NULL, NULL, 0);
    inside = true; // nested calls run serially
    take_shares(generation);
    inside = false;
    for (long i = 0; atomic_load_explicit(&crew.remaining, memory_order_acquire) > 0; i++) {
        if (i < spins) relax(); else sched_yield();
    }
    pthread_mutex_unlock(&crew_is_taken);
}
