/* The list of cases: made once from the check files, in their order. */
#include "case.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

static const char *const contents[] = {
#define CASE(...) #__VA_ARGS__,
#include "operators.def"
#undef CASE
#define TOLERANCE(...) #__VA_ARGS__,
#include "tolerances.def"
#undef TOLERANCE
};

/* In the order of ids. */
static const struct proof {
	const char *id, *mutants;
} proofs[] = {
#define PROVEN(id, mutants) {id, mutants},
#include "proof.def"
#undef PROVEN
};

static conform_list list;
static pthread_once_t made = PTHREAD_ONCE_INIT;

static int by_id(const void *id, const void *item)
{
	return strcmp(id, ((const struct proof *)item)->id);
}

void conform__list_add(conform_list *target, const conform_case *like, const char *format, ...)
{
	if (target->count == target->room) {
		target->room = target->room == 0 ? 1024 : target->room * 2;
		target->items = realloc(target->items, target->room * sizeof(target->items[0]));
		if (target->items == NULL) abort(); /* a list of a few hundred KiB at start: no way on without it */
	}
	char id[128];
	va_list args;
	va_start(args, format);
	vsnprintf(id, sizeof(id), format, args);
	va_end(args);
	conform_case *item = &target->items[target->count++];
	*item = *like;
	item->info.id = strdup(id);
	if (item->info.since == NULL) item->info.since = "1.0";
	const struct proof *found = bsearch(id, proofs, sizeof(proofs) / sizeof(proofs[0]), sizeof(proofs[0]), by_id);
	item->info.proven_by = found != NULL ? found->mutants : "";
}

static void make(void)
{
	conform__check_abi_list(&list);
	conform__check_discovery_list(&list);
	conform__check_memory_list(&list);
	conform__check_queue_list(&list);
	conform__check_thread_list(&list);
	conform__check_compile_list(&list);
	conform__check_operator_list(&list);
	conform__check_region_list(&list);
	conform__check_relation_list(&list);
	conform__check_determinism_list(&list);
	conform__check_error_list(&list);
	conform__check_fault_list(&list);
	conform__check_stress_list(&list);
}

const conform_case *conform__suite_cases(uint32_t *out_count)
{
	pthread_once(&made, make);
	*out_count = list.count;
	return list.items;
}

const conform_case *conform__suite_find(const char *id)
{
	pthread_once(&made, make);
	for (uint32_t i = 0; i < list.count; i++)
		if (strcmp(list.items[i].info.id, id) == 0) return &list.items[i];
	return NULL;
}

uint32_t hy_conform_case_count(void)
{
	pthread_once(&made, make);
	return list.count;
}

const hy_conform_case_info *hy_conform_case_at(uint32_t index)
{
	pthread_once(&made, make);
	return index < list.count ? &list.items[index].info : NULL;
}

uint64_t hy_conform_list_hash(void)
{
	pthread_once(&made, make);
	uint64_t hash = XXH64(HY_CONFORM_SUITE_VERSION, strlen(HY_CONFORM_SUITE_VERSION), 0);
	for (uint32_t i = 0; i < list.count; i++) {
		const hy_conform_case_info *info = &list.items[i].info;
		hash = XXH64(info->id, strlen(info->id) + 1, hash + (uint64_t)info->level);
		hash = XXH64(info->rule, strlen(info->rule) + 1, hash);
	}
	for (size_t i = 0; i < sizeof(contents) / sizeof(contents[0]); i++)
		hash = XXH64(contents[i], strlen(contents[i]) + 1, hash);
	return hash;
}

const char *hy_conform_status_name(hy_conform_status status)
{
	switch (status) {
#define X(name, value, text)    \
	case HY_CONFORM_##name: \
		return #name;
		HY_CONFORM_STATUS_LIST(X)
#undef X
	case HY_CONFORM_STATUS_COUNT:
		break;
	}
	return "?";
}

uint32_t conform__suite_total(int64_t level)
{
	pthread_once(&made, make);
	uint32_t total = 0;
	for (uint32_t i = 0; i < list.count; i++)
		total += (int64_t)list.items[i].info.level <= level;
	return total;
}
