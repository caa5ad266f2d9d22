#include "test/support/signer_fixture.h"

#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "relay/base/crc32c.h"
#include "relay/net/channel.h"
#include "test/support/dkim_samples.h"
#include "test/support/test_support.h"

struct running_signer running;

static void on_change(void *owner, bool is_up)
{
    (void)owner;
    if (is_up)
        running.n_changes_up++;
    else
        running.n_changes_down++;
    loop_stop(running.loop);
}

void start_signer(void)
{
    struct signer_settings settings = {
        .key_dir = running.folder, .user = running.user, .engine = running.engine, .n_workers = 2};
    int supervision[2], ends[2];

    assert_int_equal(channel_pair(supervision), 0);
    assert_int_equal(channel_pair(ends), 0);
    running.signer_pid = fork();
    assert_true(running.signer_pid >= 0);
    if (running.signer_pid == 0) {
        close(supervision[0]);
        close(ends[0]);
        close(ends[1]);
        _exit(signer_serve(supervision[1], &settings));
    }
    close(supervision[1]);
    running.parent_fd = supervision[0];
    running.link_fd = ends[0];
    assert_int_equal(channel_send(running.parent_fd, CHANNEL_PEER, SLICE_LITERAL(""), &ends[1], 1),
                     0);
    close(ends[1]);
}

int wait_for_signer(void)
{
    int status;

    close_fd_cleanup(&running.parent_fd);
    close_fd_cleanup(&running.link_fd);
    running.parent_fd = running.link_fd = -1;
    assert_int_equal(waitpid(running.signer_pid, &status, 0), running.signer_pid);
    running.signer_pid = 0;
    return status;
}

void halt_signer(void)
{
    int status;

    assert_int_equal(kill(running.signer_pid, SIGSTOP), 0);
    assert_int_equal(waitpid(running.signer_pid, &status, WUNTRACED), running.signer_pid);
    assert_true(WIFSTOPPED(status));
}

void connect_client(void)
{
    int fd;

    assert_int_equal(signer_link_add_loop(running.link_fd, &fd), 0);
    assert_int_equal(signer_client_connect(running.client, fd), 0);
    loop_run(running.loop); /* until on_change */
    assert_true(signer_client_is_up(running.client));
}

static int set_up_for(enum signer_engine wanted)
{
    running.engine = wanted;
    running.n_changes_up = running.n_changes_down = 0;
    snprintf(running.folder, sizeof(running.folder), "/tmp/staffetta-signer-XXXXXX");
    if (!mkdtemp(running.folder))
        return -1;
    running.message_fd = memfd_create("segment", MFD_CLOEXEC);
    if (write(running.message_fd, dkim_sample, sizeof(dkim_sample) - 1) < 0)
        return -1;
    if (loop_new(&running.loop, 0, 16) ||
        signer_client_new(&running.client, running.loop, on_change, NULL))
        return -1;
    start_signer();
    connect_client();
    return 0;
}

int signer_set_up(void **state)
{
    (void)state;
    return set_up_for(SIGNER_NATIVE);
}

int signer_set_up_opendkim(void **state)
{
    (void)state;
    return set_up_for(SIGNER_OPENDKIM);
}

int signer_tear_down(void **state)
{
    char command[128];

    (void)state;
    if (signer_client_is_up(running.client)) {
        signer_client_disconnect(running.client);
        loop_run(running.loop);
    }
    running.client = signer_client_free(running.client);
    running.loop = loop_free(running.loop);
    close(running.message_fd);
    if (running.signer_pid) {
        kill(running.signer_pid, SIGCONT); /* a test that failed may have left it halted */
        wait_for_signer();
    }
    snprintf(command, sizeof(command), "rm -r '%s'", running.folder);
    return system(command);
}

void count_answer(void)
{
    if (--running.n_awaited == 0)
        loop_stop(running.loop);
}

static void on_signed(struct sign_request *request)
{
    struct asked *asked = CONTAINER_OF(request, struct asked, request);

    assert_false(asked->is_done);
    assert_true(slice_copy_to(request->header, asked->header, sizeof(asked->header)));
    assert_true(slice_copy_to(request->signed_domain, asked->domain, sizeof(asked->domain)));
    assert_true(slice_copy_to(request->selectors, asked->selectors, sizeof(asked->selectors)));
    asked->is_done = true;
    count_answer();
}

void prepare_signing(struct asked *asked, const char *domain)
{
    struct slice message = SLICE_LITERAL(dkim_sample);

    *asked = (struct asked){
        .request = {.done = on_signed,
                    .fd = running.message_fd,
                    .length = message.len,
                    .crc = crc32c(0, message),
                    .prefix = SLICE_LITERAL(""),
                    .domain = slice_of(domain),
                    .selector = SLICE_LITERAL("")}
    };
}

void ask_signing(struct asked *asked)
{
    running.n_awaited = 1;
    signer_sign(running.client, &asked->request);
    assert_false(asked->is_done); /* never inside the call */
    loop_run(running.loop);
    assert_true(asked->is_done);
}

enum sign_result sign_for(const char *domain)
{
    static struct asked asked;

    prepare_signing(&asked, domain);
    ask_signing(&asked);
    return asked.request.result;
}

static void on_key(struct key_request *request)
{
    running.key.result = request->result;
    running.key.type = request->found_type;
    running.key.bits = request->bits;
    running.key.is_active = request->is_active;
    assert_true(slice_copy_to(request->why, running.key.why, sizeof(running.key.why)));
    assert_true(slice_copy_to(request->public_half, running.key.public_half,
                              sizeof(running.key.public_half)));
    count_answer();
}

enum key_result tell_key(enum key_verb verb, const char *domain, const char *selector,
                         enum dkim_key_type type, const char *pem)
{
    struct key_request request = {.done = on_key,
                                  .verb = verb,
                                  .type = type,
                                  .domain = slice_of(domain),
                                  .selector = slice_of(selector),
                                  .pem = slice_of(pem)};

    running.n_awaited = 1;
    signer_key(running.client, &request);
    loop_run(running.loop);
    return running.key.result;
}

void make_keys(const char *domain)
{
    assert_int_equal(tell_key(KEY_CREATE, domain, "s1", DKIM_KEY_RSA, ""), KEY_OK);
    assert_int_equal(running.key.bits, 2048);
    assert_false(running.key.is_active);
    assert_int_equal(tell_key(KEY_CREATE, domain, "s1-ed", DKIM_KEY_ED25519, ""), KEY_OK);
    assert_int_equal(tell_key(KEY_ACTIVATE, domain, "s1", 0, ""), KEY_OK);
    assert_true(running.key.is_active);
    assert_int_equal(tell_key(KEY_ACTIVATE, domain, "s1-ed", 0, ""), KEY_OK);
}
