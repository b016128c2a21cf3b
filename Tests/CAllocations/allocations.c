#include "include/allocations.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

// glibc's own names for what is replaced here.
void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);

static _Thread_local bool watching;
static _Thread_local size_t allowed;
static _Thread_local struct allocations sum;

static void count(size_t bytes) {
    if (!watching) return;
    sum.number += 1;
    if (!__builtin_add_overflow(sum.bytes, bytes, &sum.bytes) && sum.bytes <= allowed) return;
    watching = false;
    fprintf(stderr, "finding: an allocation of %zu bytes makes it more than %zu\n", bytes, allowed);
    __builtin_trap();
}

void allocations_watch(size_t limit) {
    allowed = limit;
    sum = (struct allocations){0};
    watching = true;
}

struct allocations allocations_rest(void) {
    watching = false;
    return sum;
}

void *malloc(size_t bytes) {
    count(bytes);
    return __libc_malloc(bytes);
}

void *calloc(size_t number, size_t bytes) {
    size_t product;
    count(__builtin_mul_overflow(number, bytes, &product) ? (size_t)-1 : product);
    return __libc_calloc(number, bytes);
}

void *realloc(void *old, size_t bytes) {
    count(bytes);
    return __libc_realloc(old, bytes);
}

void *aligned_alloc(size_t alignment, size_t bytes) {
    count(bytes);
    return __libc_memalign(alignment, bytes);
}

int posix_memalign(void **place, size_t alignment, size_t bytes) {
    count(bytes);
    void *memory = __libc_memalign(alignment, bytes);
    if (memory == NULL) return ENOMEM;
    *place = memory;
    return 0;
}
