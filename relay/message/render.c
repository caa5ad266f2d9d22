#include "relay/message/render.h"

#include <errno.h>

bool render_needs_smtputf8(struct render_needs needs)
{
    return needs.has_utf8_address || (needs.asked_smtputf8 && needs.has_eight_bit_header);
}

enum render_form render_form_for(struct render_needs needs, struct render_offers offers)
{
    if (render_needs_smtputf8(needs) && !offers.smtputf8)
        return RENDER_IMPOSSIBLE;
    /* SMTPUTF8 without 8BITMIME is against RFC 6531 3.1; be content with either. */
    if (offers.eight_bit_mime)
        return RENDER_EIGHT_BIT;
    if (needs.has_eight_bit_header)
        return RENDER_IMPOSSIBLE;
    return needs.has_eight_bit_body ? RENDER_SEVEN_BIT : RENDER_EIGHT_BIT;
}

void render_init(struct render *render, struct slice prefix, struct render_reader reader,
                 uint64_t length)
{
    *render = (struct render){.prefix = prefix, .reader = reader, .offset = 0, .end = length};
}

int render_next(struct render *render, char *room, size_t room_bytes, struct slice *out)
{
    uint64_t left = render->end - render->offset;
    ssize_t n;

    if (render->prefix.len) {
        *out = render->prefix;
        render->prefix.len = 0;
        return 0;
    }
    *out = slice_from(room, 0);
    if (left == 0)
        return 0;
    n = render->reader.read(render->reader.owner, render->offset, room,
                            left < room_bytes ? (size_t)left : room_bytes);
    if (n < 0)
        return (int)n;
    if (n == 0)
        return FAULT(-EIO);
    render->offset += (uint64_t)n;
    *out = slice_from(room, (size_t)n);
    return 0;
}

uint64_t render_length(const struct render *render)
{
    return render->prefix.len + (render->end - render->offset);
}
