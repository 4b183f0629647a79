/* A case, and what it may use while it runs in a worker. */
#ifndef HY_CONFORM_PRIVATE_CASE_H
#define HY_CONFORM_PRIVATE_CASE_H

#include <halyard/conform.h>
#include <halyard/plugin.h>

typedef struct conform_run conform_run;
typedef struct conform_case conform_case;

struct conform_case {
	hy_conform_case_info info;
	uint32_t seconds; /* wall time it may take; 0: 10 */
	bool alone; /* needs a worker that has done nothing before, and leaves it unusable */
	void (*check)(conform_run *run, const conform_case *self);
	const void *param; /* of the check; what it points to is the check's own */
	int64_t number; /* the same, for checks that need a number only */
};

/* Every case in the list's order. */
const conform_case *conform__suite_cases(uint32_t *out_count);
const conform_case *conform__suite_find(const char *id);
/* Cases up to this level. */
uint32_t conform__suite_total(int64_t level);

/* Adds cases to the list; called by the check files' functions below while the list is made. */
typedef struct conform_list {
	conform_case *items;
	uint32_t count, room;
} conform_list;
/* The id is made by printf; the rest is copied from like. */
void conform__list_add(conform_list *list, const conform_case *like, const char *format, ...) HY_PRINTF(3, 4);

void conform__check_abi_list(conform_list *list);
void conform__check_discovery_list(conform_list *list);
void conform__check_memory_list(conform_list *list);
void conform__check_queue_list(conform_list *list);
void conform__check_thread_list(conform_list *list);
void conform__check_compile_list(conform_list *list);
void conform__check_operator_list(conform_list *list);
void conform__check_region_list(conform_list *list);
void conform__check_relation_list(conform_list *list);
void conform__check_determinism_list(conform_list *list);
void conform__check_error_list(conform_list *list);
void conform__check_fault_list(conform_list *list);
void conform__check_stress_list(conform_list *list);

/* ---- inside a check ---- */

/* The first call decides; later ones are dropped. */
void conform__fail(conform_run *run, const char *format, ...) HY_PRINTF(2, 3);
void conform__not_supported(conform_run *run, const char *format, ...) HY_PRINTF(2, 3);
void conform__end(conform_run *run, hy_conform_status status, const char *format, ...) HY_PRINTF(3, 4);
/* What a reader should know of a case that holds. */
void conform__note(conform_run *run, const char *format, ...) HY_PRINTF(2, 3);
bool conform__ended(const conform_run *run);

/* Leaves the check (a void function) when the sentence is false. What it holds is left to the worker's end. */
#define REQUIRE(run, sentence, ...)                      \
	do {                                             \
		if (!(sentence)) {                       \
			conform__fail(run, __VA_ARGS__); \
			return;                          \
		}                                        \
	} while (0)
/* Leaves the check when a helper has ended the case. */
#define CONTINUE(run)                            \
	do {                                     \
		if (conform__ended(run)) return; \
	} while (0)

/* Numbers of this case: the same for the same seed and id. */
uint64_t conform__random(conform_run *run);
/* In [low, high], both included. */
int64_t conform__random_between(conform_run *run, int64_t low, int64_t high);

#endif
