/* What every unit test includes: cmocka in the one order it accepts, and a few checks on slices. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "relay/base/slice.h"

/* Fails the test, printing both sides escaped, unless slice holds exactly text. */
void assert_slice_is(struct slice slice, const char *text);
