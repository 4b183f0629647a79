#include "test.h"

#include "ticket.h"

#include <pthread.h>
#include <sched.h>

#define THREADS 4
#define ROUNDS 20000

static hy_hal_queue *const some_queue = (hy_hal_queue *)(uintptr_t)64;

static void a_ticket_is_taken_once(void **state)
{
	(void)state;
	hy_hal__tickets tickets;
	hy_hal__ticket out;
	assert_int_equal(hy_hal__tickets_init(&tickets), HY_OK);
	int payload;
	const hy_hal__ticket in = {some_queue, NULL, &payload};
	const uint64_t number = hy_hal__tickets_give(&tickets, &in);
	assert_int_not_equal(number, 0);
	assert_true(hy_hal__tickets_of(&tickets, some_queue) == number);
	assert_true(hy_hal__tickets_take(&tickets, number, &out));
	assert_ptr_equal(out.payload, &payload);
	assert_false(hy_hal__tickets_take(&tickets, number, &out));
	assert_int_equal(hy_hal__tickets_of(&tickets, some_queue), 0);
	hy_hal__tickets_finish(&tickets);
}

static void a_slot_that_is_used_again_has_another_number(void **state)
{
	(void)state;
	hy_hal__tickets tickets;
	hy_hal__ticket out;
	assert_int_equal(hy_hal__tickets_init(&tickets), HY_OK);
	const hy_hal__ticket in = {some_queue, NULL, NULL};
	const uint64_t first = hy_hal__tickets_give(&tickets, &in);
	assert_true(hy_hal__tickets_take(&tickets, first, &out));
	const uint64_t second = hy_hal__tickets_give(&tickets, &in);
	assert_true(first != second);
	assert_false(hy_hal__tickets_take(&tickets, first, &out));
	assert_true(hy_hal__tickets_take(&tickets, second, &out));
	hy_hal__tickets_finish(&tickets);
}

static void numbers_that_were_never_given_are_not_taken(void **state)
{
	(void)state;
	hy_hal__tickets tickets;
	hy_hal__ticket out;
	assert_int_equal(hy_hal__tickets_init(&tickets), HY_OK);
	for (uint64_t number = 0; number < 1u << 20; number += 4093)
		assert_false(hy_hal__tickets_take(&tickets, number, &out));
	assert_false(hy_hal__tickets_take(&tickets, UINT64_MAX, &out));
	hy_hal__tickets_finish(&tickets);
}

static void all_slots_can_be_in_use_and_come_back(void **state)
{
	(void)state;
	hy_hal__tickets tickets;
	hy_hal__ticket out;
	uint64_t numbers[HY_HAL__TICKETS];
	assert_int_equal(hy_hal__tickets_init(&tickets), HY_OK);
	const hy_hal__ticket in = {some_queue, NULL, NULL};
	for (uint32_t i = 0; i < HY_HAL__TICKETS; i++)
		assert_true((numbers[i] = hy_hal__tickets_give(&tickets, &in)) != 0);
	assert_true(hy_hal__tickets_give(&tickets, &in) == 0);
	assert_true(hy_hal__tickets_take(&tickets, numbers[77], &out));
	assert_true(hy_hal__tickets_give(&tickets, &in) != 0);
	hy_hal__tickets_finish(&tickets);
}

/* Every thread gives tickets and publishes them; every thread tries to take every ticket it sees. */
typedef struct race {
	hy_hal__tickets tickets;
	_Atomic uint64_t published[THREADS];
	atomic_uint taken, given, wrong;
} race;

static void *give_and_take(void *argument)
{
	race *r = argument;
	static atomic_uint next_thread;
	const uint32_t self = atomic_fetch_add(&next_thread, 1) % THREADS;
	uint64_t marks[8];
	for (uint32_t i = 0; i < ROUNDS; i++) {
		marks[i % 8] = i;
		const hy_hal__ticket in = {some_queue, NULL, &marks[i % 8]};
		const uint64_t mine = hy_hal__tickets_give(&r->tickets, &in);
		if (mine == 0) continue;
		atomic_fetch_add(&r->given, 1);
		atomic_store(&r->published[self], mine);
		for (uint32_t k = 0; k < THREADS; k++) {
			hy_hal__ticket out;
			if (!hy_hal__tickets_take(&r->tickets, atomic_load(&r->published[k]), &out)) continue;
			atomic_fetch_add(&r->taken, 1);
			if (out.queue != some_queue || out.payload == NULL) atomic_fetch_add(&r->wrong, 1);
		}
	}
	return NULL;
}

static void every_ticket_is_taken_exactly_once_by_four_threads(void **state)
{
	(void)state;
	static race r;
	pthread_t threads[THREADS];
	assert_int_equal(hy_hal__tickets_init(&r.tickets), HY_OK);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, give_and_take, &r), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	uint32_t left = 0;
	hy_hal__ticket out;
	for (uint64_t number; (number = hy_hal__tickets_of(&r.tickets, some_queue)) != 0; left++)
		assert_true(hy_hal__tickets_take(&r.tickets, number, &out));
	assert_int_equal(r.given, THREADS * ROUNDS);
	assert_int_equal(r.taken + left, r.given);
	assert_int_equal(r.wrong, 0);
	hy_hal__tickets_finish(&r.tickets);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(a_ticket_is_taken_once),
		CASE(a_slot_that_is_used_again_has_another_number),
		CASE(numbers_that_were_never_given_are_not_taken),
		CASE(all_slots_can_be_in_use_and_come_back),
		CASE(every_ticket_is_taken_exactly_once_by_four_threads),
	};
	return cmocka_run_group_tests_name("hal.ticket", cases, NULL, NULL);
}
