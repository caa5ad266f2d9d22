/* Addresses: what is accepted is one mailbox, and the same one when it is read again. */
#include "test/fuzz/fuzz.h"

#include "relay/smtp/address.h"

static void check_mailbox(const struct address *address)
{
    struct address again;

    PROMISE(address->local.len > 0 && address->domain.len > 0);
    PROMISE(address->whole.len == address->local.len + 1 + address->domain.len);
    PROMISE(address->whole.data[address->local.len] == '@');
    PROMISE(address_is_clean_utf8(address->whole));
    PROMISE(slice_find(address->domain, '@') < 0 && slice_find(address->domain, '>') < 0);
    PROMISE(address->is_literal == (address->domain.data[0] == '['));
    PROMISE(address_parse_mailbox(address->whole, &again) == ADDRESS_OK);
    PROMISE(slice_equal(address->local, again.local) && slice_equal(address->domain, again.domain));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_from(data, size), rest = text;
    struct address address = {0};

    if (address_parse_mailbox(text, &address) == ADDRESS_OK) {
        check_mailbox(&address);
        PROMISE(address.whole.len == size);
    }
    if (address_parse_path(&rest, &address) == ADDRESS_OK) {
        PROMISE(rest.len + address.whole.len + 2 == size);
        if (!address.is_null && !address.is_postmaster)
            check_mailbox(&address);
    } else {
        PROMISE(rest.len == size);
    }
    return 0;
}
