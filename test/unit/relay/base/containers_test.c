#include "test/support/test_support.h"

#include <stdlib.h>

#include "relay/base/arena.h"
#include "relay/base/heap.h"
#include "relay/base/list.h"

enum { N_NODES = 1000 };

static bool is_a_heap(const struct heap *heap)
{
    for (uint32_t i = 1; i < heap->n_nodes; i++)
        if (heap->nodes[(i - 1) / 2]->key > heap->nodes[i]->key || heap->nodes[i]->place != i + 1)
            return false;
    return true;
}

static void nodes_come_out_in_order_whatever_was_moved_or_removed(void **state)
{
    static struct heap_node nodes[N_NODES];
    struct heap heap = {0};
    int64_t last = INT64_MIN;
    uint32_t n_left = N_NODES;
    unsigned seed = 7;

    (void)state;
    for (unsigned i = 0; i < N_NODES; i++)
        assert_int_equal(heap_set(&heap, &nodes[i], rand_r(&seed) % 500), 0);
    for (unsigned i = 0; i < N_NODES; i += 3)
        assert_int_equal(heap_set(&heap, &nodes[i], rand_r(&seed) % 500), 0);
    for (unsigned i = 0; i < N_NODES; i += 5, n_left--)
        heap_remove(&heap, &nodes[i]);
    heap_remove(&heap, &nodes[0]); /* again: harmless */
    assert_true(is_a_heap(&heap));
    assert_int_equal(heap.n_nodes, n_left);
    while (heap_first(&heap)) {
        assert_true(heap_first(&heap)->key >= last);
        last = heap_first(&heap)->key;
        heap_remove(&heap, heap_first(&heap));
    }
    heap_fini(&heap);
}

static void an_arena_hands_out_zeroed_memory_up_to_its_bound(void **state)
{
    struct arena arena;
    char *first;

    (void)state;
    arena_init(&arena, 10000);
    first = arena_alloc(&arena, 100);
    assert_non_null(first);
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(first[i], 0);
    assert_non_null(arena_alloc(&arena, 9000)); /* larger than a block */
    assert_null(arena_alloc(&arena, 9000));
    assert_null(arena_alloc(&arena, SIZE_MAX));
    arena_reset(&arena);
    assert_non_null(arena_alloc(&arena, 9000));
    arena_reset(&arena);
}

static void a_copy_has_a_nul_behind_it(void **state)
{
    struct arena arena = {0};
    struct slice copy = arena_copy(&arena, SLICE_LITERAL("abc"));

    (void)state;
    assert_string_equal(copy.data, "abc");
    arena_reset(&arena);
}

static void a_list_survives_the_removal_of_the_current_element(void **state)
{
    struct list list, elements[5];
    unsigned n_seen = 0;

    (void)state;
    list_init(&list);
    for (unsigned i = 0; i < 5; i++)
        list_append(&list, &elements[i]);
    LIST_FOR_EACH(element, &list)
    {
        list_remove(element);
        list_remove(element); /* in no list: harmless */
        n_seen++;
    }
    assert_int_equal(n_seen, 5);
    assert_true(list_is_empty(&list));
    assert_null(list_take_first(&list));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nodes_come_out_in_order_whatever_was_moved_or_removed),
        cmocka_unit_test(an_arena_hands_out_zeroed_memory_up_to_its_bound),
        cmocka_unit_test(a_copy_has_a_nul_behind_it),
        cmocka_unit_test(a_list_survives_the_removal_of_the_current_element),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
