/* Intrusive doubly linked list: the links live in the listed struct, so adding cannot fail.
 * An element that is in no list points at itself.  Thread: the owner's. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct list {
    struct list *next, *previous;
};

#define CONTAINER_OF(member_pointer, type, member)                                                 \
    ((type *)(void *)((char *)(member_pointer)-offsetof(type, member)))

static inline void list_init(struct list *list)
{
    list->next = list->previous = list;
}

static inline bool list_is_empty(const struct list *list)
{
    return list->next == list;
}

static inline void list_append(struct list *list, struct list *element)
{
    element->previous = list->previous;
    element->next = list;
    list->previous->next = element;
    list->previous = element;
}

static inline void list_prepend(struct list *list, struct list *element)
{
    list_append(list->next, element);
}

/* Takes element out of whatever list it is in; harmless when it is in none. */
static inline void list_remove(struct list *element)
{
    element->previous->next = element->next;
    element->next->previous = element->previous;
    list_init(element);
}

/* The first element, removed, or NULL. */
static inline struct list *list_take_first(struct list *list)
{
    struct list *first = list->next;

    if (first == list)
        return NULL;
    list_remove(first);
    return first;
}

/* The loop body may remove the current element. */
// NOLINTBEGIN(bugprone-macro-parentheses): cursor is a name that is declared here
#define LIST_FOR_EACH(cursor, head)                                                                \
    for (struct list *cursor = (head)->next, *cursor##_next = cursor->next; cursor != (head);      \
         cursor = cursor##_next, cursor##_next = cursor->next)
// NOLINTEND(bugprone-macro-parentheses)
