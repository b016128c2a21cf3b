#pragma once
#include <stddef.h>

// Counts what the calling thread asks of malloc, by standing in front of it: this module defines malloc itself.

struct allocations {
    size_t number;
    size_t bytes;
};

// From now on, allocations of this thread are counted. One that takes the sum of bytes above `limit` ends the program.
void allocations_watch(size_t limit);

// Stops; returns what was counted.
struct allocations allocations_rest(void);
