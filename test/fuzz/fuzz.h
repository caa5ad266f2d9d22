/* What a fuzz target is: one function that takes any bytes and aborts when a promise is broken.
 * A file X_fuzz.c here becomes the program fuzz_X: with STAFFETTA_FUZZ a libFuzzer, else a replay
 * of corpus/X, which ctest runs.  X.dict is its dictionary. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A promise; unlike assert() it is no bug of ours to hold, but the target's. */
#define PROMISE(condition)                                                                         \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, #condition);                \
            abort();                                                                               \
        }                                                                                          \
    } while (0)
