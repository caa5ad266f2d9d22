#include "test/support/test_support.h"

#include <stdio.h>
#include <string.h>

static void print_escaped(const char *label, struct slice slice)
{
    fprintf(stderr, "%s \"", label);
    for (size_t i = 0; i < slice.len; i++) {
        unsigned char c = (unsigned char)slice.data[i];
        if (c >= ' ' && c < 0x7f)
            fputc(c, stderr);
        else
            fprintf(stderr, "\\x%02x", c);
    }
    fprintf(stderr, "\"\n");
}

void assert_slice_is(struct slice slice, const char *text)
{
    struct slice wanted = slice_of(text);

    if (slice_equal(slice, wanted))
        return;
    print_escaped("  got:   ", slice);
    print_escaped("  wanted:", wanted);
    fail();
}
