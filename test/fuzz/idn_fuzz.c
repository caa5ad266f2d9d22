/* Any domain: refused, or a name that DNS takes and that comes back unchanged. */
#include "test/fuzz/fuzz.h"

#include "relay/message/idn.h"

static void check_name(struct slice name)
{
    size_t label = 0;

    PROMISE(name.len > 0 && name.len <= 253);
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];

        PROMISE((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
                c == '.');
        PROMISE(c == '.' ? label > 0 : label < 63);
        label = c == '.' ? 0 : label + 1;
    }
    PROMISE(label > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char ascii[IDN_SIZE], again[IDN_SIZE];
    int result = idn_to_ascii(slice_from(data, size), ascii);

    PROMISE(result == 0 || result == IDN_INVALID);
    if (result == 0) {
        check_name(slice_of(ascii));
        PROMISE(idn_to_ascii(slice_of(ascii), again) == 0);
        PROMISE(slice_equal(slice_of(ascii), slice_of(again)));
    }
    return 0;
}
