/* The body of a transaction on its way out. */
#include <errno.h>

#include "relay/base/crc32c.h"
#include "relay/delivery/dispatch_private.h"

/* A piece of the body grows to twice its length at most when it is dot-stuffed. */
enum { BODY_PIECE = 32768, BODY_ROOM = 3 * BODY_PIECE };

static void hold_damaged(struct dispatch *dispatch)
{
    struct connection *connection = TAKE(dispatch->connection);

    spool_report_damaged(dispatch->letter->stored, "delivery");
    connection_abort(connection);
    dispatch_judge_rest(
        dispatch, &(struct judgement){.verdict = VERDICT_HELD,
                                      .status = SMTP_STATUS(4, 3, 0),
                                      .text = SLICE_LITERAL("the stored message is damaged")});
    dispatch_finish(dispatch);
}

static void put_off_unread(struct dispatch *dispatch)
{
    struct connection *connection = TAKE(dispatch->connection);

    connection_abort(connection);
    dispatch_judge_rest(
        dispatch, &(struct judgement){.verdict = VERDICT_LATER,
                                      .status = SMTP_STATUS(4, 3, 0),
                                      .text = SLICE_LITERAL("the stored message cannot be read")});
    dispatch_finish(dispatch);
}

static void on_fetched(void *owner, int error)
{
    struct dispatch *dispatch = owner;

    dispatch->is_waiting = dispatch->is_fetching = false;
    if (dispatch->is_over)
        dispatch_end_late(dispatch);
    else if (error == -EBADMSG)
        hold_damaged(dispatch);
    else if (error < 0)
        put_off_unread(dispatch);
    else
        dispatch_on_room(dispatch);
}

void dispatch_end_body(struct dispatch *dispatch)
{
    uint32_t crc;

    if (preparation_crc(dispatch->preparation, &crc) && crc != dispatch->crc)
        hold_damaged(dispatch);
    else if (dispatch_is_marked(dispatch)) {
        if (connection_end_body(dispatch->connection) != 0)
            put_off_unread(dispatch);
    } else if (!dispatch->is_marking) {
        put_off_unread(dispatch); /* no memory for the mark: nobody would call again */
    }
}

/* True: there may be more at once. */
static bool send_piece(struct dispatch *dispatch, char *room)
{
    bool is_prefix = dispatch->render.prefix.len > 0;
    struct slice piece;
    int result = render_next(&dispatch->render, room, BODY_PIECE, &piece);

    if (result == -EAGAIN) {
        dispatch->is_waiting = dispatch->is_fetching = true;
        letter_fetch(dispatch->letter, on_fetched, dispatch);
        return false;
    }
    if (result < 0) {
        put_off_unread(dispatch);
        return false;
    }
    if (piece.len == 0) {
        dispatch_end_body(dispatch);
        return false;
    }
    if (!is_prefix)
        dispatch->crc = crc32c(dispatch->crc, piece);
    result = connection_write_body(dispatch->connection, piece);
    if (result > 0)
        hold_damaged(dispatch); /* bare CR or LF, NUL: nothing unclean leaves */
    else if (result < 0)
        put_off_unread(dispatch);
    return result == 0;
}

void dispatch_on_room(struct dispatch *dispatch)
{
    char room[BODY_PIECE];

    if (dispatch->is_fetching || dispatch->awaits_mark)
        return;
    dispatch_mark(dispatch);
    while (connection_room(dispatch->connection) >= BODY_ROOM)
        if (!send_piece(dispatch, room))
            return;
}
