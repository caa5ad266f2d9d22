/* An independent look at what we sign: of live mail, the first message after the start and then one
 * in SAMPLE_EVERY is verified by libopendkim (policy/judge.h) against the public half that we hold,
 * on a worker.  A mismatch is EVENT_SIGNATURE_WRONG; the mail goes on.
 * Thread: the loop's.  One sample at a time; it owns copies, so it delays nobody. */
#pragma once

#include "policy/judge.h"
#include "policy/worker_pool.h"
#include "relay/base/buffer.h"
#include "relay/message/render.h"
#include "relay/spool/queue_id.h"
#include "signer/client.h"

struct delivery_shard;

enum { SAMPLE_EVERY = 1000, SAMPLE_MOST_BYTES = 64 * 1024, SAMPLE_MOST_KEYS = 2 };

struct sample {
    struct job job;
    bool is_running;
    uint32_t n_since; /* messages signed since the last one */
    struct judge *judge;
    struct buffer header, message;
    struct {
        struct buffer selector, text;
    } records[SAMPLE_MOST_KEYS];
    unsigned n_records;
    struct buffer domain;
    char id[QUEUE_ID_SIZE];
    struct judge_verdict verdict;
};

/* A message was just signed: of length bytes that reader reads. */
void sample_signed(struct delivery_shard *shard, uint64_t id, const struct sign_request *request,
                   struct render_reader reader, uint64_t length);

void sample_init(struct sample *sample);
void sample_fini(struct sample *sample); /* the worker pool has ended */
