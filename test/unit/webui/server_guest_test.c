/* Connections over TCP, in a network of the test's own: an address that is not loopback's. */
#include "test/unit/webui/serving.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "webui/server.h"
#include "webui/server_guest.h"

static bool has_network;

/* Nobody but this process sees it. */
static bool make_network(const char *address)
{
    struct ifreq request = {.ifr_name = "lo"};
    struct sockaddr_in *in = (struct sockaddr_in *)(void *)&request.ifr_addr;
    int fd;
    bool is_made;

    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
        return false;
    fd = socket(AF_INET, SOCK_DGRAM, 0);
    in->sin_family = AF_INET;
    assert_int_equal(inet_pton(AF_INET, address, &in->sin_addr), 1);
    is_made = ioctl(fd, SIOCSIFADDR, &request) == 0;
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    is_made = is_made && ioctl(fd, SIOCSIFFLAGS, &request) == 0;
    close(fd);
    return is_made;
}

static int listen_at(const char *address, struct sockaddr_in *out)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    socklen_t len = sizeof(*out);

    *out = (struct sockaddr_in){.sin_family = AF_INET};
    assert_int_equal(inet_pton(AF_INET, address, &out->sin_addr), 1);
    assert_int_equal(bind(fd, (struct sockaddr *)out, len), 0);
    assert_int_equal(listen(fd, 128), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)out, &len), 0);
    return fd;
}

static int come(const struct sockaddr_in *door)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(connect(fd, (const struct sockaddr *)door, sizeof(*door)), 0);
    return fd;
}

/* Serves until the last of them was answered, or shown the door. */
static bool is_served(int fd)
{
    static const char words[] = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    char byte;
    ssize_t n;

    if (send(fd, words, sizeof(words) - 1, MSG_NOSIGNAL) < 0)
        return false;
    do {
        server_turn(webui);
        n = recv(fd, &byte, 1, MSG_DONTWAIT);
    } while (n < 0 && errno == EAGAIN);
    return n == 1;
}

static void one_address_does_not_take_every_connection(void **state)
{
    struct sockaddr_in door;
    int fds[GUEST_MOST_OF_ONE], one_more, listener;

    (void)state;
    if (!has_network)
        skip();
    is_busy = true; /* nobody tells the overview anything */
    listener = listen_at("198.51.100.1", &door);
    assert_int_equal(server_open(webui, listener, false, NULL), 0);
    for (unsigned i = 0; i < GUEST_MOST_OF_ONE; i++) {
        fds[i] = come(&door);
        assert_true(is_served(fds[i]));
    }
    one_more = come(&door);
    assert_false(is_served(one_more));
    close(one_more);
    close(fds[0]);
    while (!guest_may_come(webui, (struct ip_address){
                                      {198, 51, 100, 1},
                                      AF_INET
    }))
        server_turn(webui);
    one_more = come(&door);
    assert_true(is_served(one_more));
    close(one_more);
    for (unsigned i = 1; i < GUEST_MOST_OF_ONE; i++)
        close(fds[i]);
    close(listener);
    is_busy = false;
}

static void networks_of_v6_count_as_one_and_loopback_not_at_all(void **state)
{
    struct guest guests[GUEST_MOST_OF_ONE];
    struct ip_address peer, neighbour, other, loopback;

    (void)state;
    assert_true(ip_parse(SLICE_LITERAL("2001:db8:0:1::1"), &peer));
    assert_true(ip_parse(SLICE_LITERAL("2001:db8:0:1:ffff::2"), &neighbour));
    assert_true(ip_parse(SLICE_LITERAL("2001:db8:0:2::1"), &other));
    assert_true(ip_parse(SLICE_LITERAL("::1"), &loopback));
    for (unsigned i = 0; i < GUEST_MOST_OF_ONE; i++) {
        assert_true(guest_may_come(webui, neighbour));
        guests[i] = (struct guest){.peer = ip_counted_as(i % 2 ? peer : neighbour)};
        list_append(&webui->guests, &guests[i].links);
    }
    assert_false(guest_may_come(webui, peer));
    assert_false(guest_may_come(webui, neighbour));
    assert_true(guest_may_come(webui, other));
    for (unsigned i = 0; i < GUEST_MOST_OF_ONE; i++)
        guests[i].peer = ip_counted_as(loopback);
    assert_true(guest_may_come(webui, loopback));
    for (unsigned i = 0; i < GUEST_MOST_OF_ONE; i++)
        list_remove(&guests[i].links);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(networks_of_v6_count_as_one_and_loopback_not_at_all),
        cmocka_unit_test(one_address_does_not_take_every_connection),
    };

    has_network = make_network("198.51.100.1");
    return cmocka_run_group_tests(tests, start_serving, stop_serving);
}
