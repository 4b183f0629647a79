/* Group memory: buffers, copies, fills, exhaustion. */
#include "target.h"
#include "process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint8_t byte_at(uint64_t index)
{
	return (uint8_t)(index * 37 + (index >> 8) * 11 + 1);
}

static void numbered(uint8_t *bytes, uint64_t length)
{
	for (uint64_t i = 0; i < length; i++)
		bytes[i] = byte_at(i);
}

/* ---- alloc ---- */

static void round_trip(conform_run *run, const conform_case *self)
{
	const uint64_t length = (uint64_t)self->number;
	hy_queue *queue = conform__queue_open(run);
	CONTINUE(run);
	conform_memory memory;
	if (!conform__memory_create(run, queue, length, 0, &memory)) return;
	uint8_t *there = malloc(length + 1), *back = malloc(length + 1);
	numbered(there, length);
	if (!conform__memory_write(run, queue, &memory, there) || !conform__memory_read(run, queue, &memory, back))
		return;
	for (uint64_t i = 0; i < length; i++)
		REQUIRE(run, back[i] == there[i], "byte %llu of %llu came back as %02x, not %02x",
		        (unsigned long long)i, (unsigned long long)length, back[i], there[i]);
	free(there);
	free(back);
	conform__memory_destroy(run, &memory);
}

static void exact_size_is_usable(conform_run *run, const conform_case *self)
{
	const uint64_t length = (uint64_t)self->number;
	hy_queue *queue = conform__queue_open(run);
	CONTINUE(run);
	hy_buffer *buffers[3] = {0};
	uint8_t *bytes = malloc(length), *back = malloc(length);
	for (uint8_t i = 0; i < 3; i++) {
		REQUIRE(run, run->table.buffer_alloc(run->device, 0, length, &buffers[i]) == HY_OK,
		        "buffer_alloc of %llu fails", (unsigned long long)length);
		memset(bytes, 0x11 * (i + 1), length);
		const hy_command copy = conform__copy(conform__ref(buffers[i], 0, length),
		                                      conform__host_ref(bytes, length));
		if (!conform__submit(run, queue, 1, &copy)) return;
	}
	for (uint8_t i = 0; i < 3; i++) {
		const hy_command copy = conform__copy(conform__host_ref(back, length),
		                                      conform__ref(buffers[i], 0, length));
		if (!conform__submit(run, queue, 1, &copy)) return;
		for (uint64_t k = 0; k < length; k++)
			REQUIRE(run, back[k] == 0x11 * (i + 1),
			        "buffers of %llu bytes overlap: byte %llu of number %u is %02x",
			        (unsigned long long)length, (unsigned long long)k, i, back[k]);
	}
	for (int i = 0; i < 3; i++)
		run->table.buffer_free(run->device, buffers[i]);
	free(bytes);
	free(back);
}

static void refused_length(conform_run *run, const conform_case *self)
{
	if (!conform__target_ready(run) || !conform__has(run, run->table.buffer_alloc != NULL, "buffer_alloc")) return;
	hy_buffer *buffer = NULL;
	const hy_status status = run->table.buffer_alloc(run->device, 0, (uint64_t)self->number, &buffer);
	REQUIRE(run, status == HY_NO_MEMORY || status == HY_INVALID, "buffer_alloc of %llu bytes answered %s",
	        (unsigned long long)self->number, hy_status_name(status));
	REQUIRE(run, buffer == NULL, "buffer_alloc failed and gave a buffer");
	REQUIRE(run, run->host.error_count > 0 && run->host.last_text[0] != '\0', "the failure has no error text");
	hy_queue *queue = conform__queue_open(run);
	CONTINUE(run);
	conform_memory memory;
	uint8_t byte;
	if (conform__memory_create(run, queue, 1, 0, &memory)) conform__memory_read(run, queue, &memory, &byte);
}

static void unknown_heap_is_refused(conform_run *run, const conform_case *self)
{
	(void)self;
	if (!conform__target_ready(run) || !conform__has(run, run->table.buffer_alloc != NULL, "buffer_alloc")) return;
	hy_buffer *buffer = NULL;
	const hy_status status = run->table.buffer_alloc(run->device, run->info.heap_count, 64, &buffer);
	REQUIRE(run, (status == HY_INVALID || status == HY_NOT_FOUND) && buffer == NULL,
	        "buffer_alloc in heap %u of %u answered %s", run->info.heap_count, run->info.heap_count,
	        hy_status_name(status));
}

static void many_live_at_once(conform_run *run, const conform_case *self)
{
	enum { MOST = 512 };
	hy_buffer *buffers[MOST] = {0};
	const int64_t count = self->number;
	hy_queue *queue = conform__queue_open(run);
	CONTINUE(run);
	uint32_t word[64], back[64];
	for (int64_t i = 0; i < count; i++) {
		REQUIRE(run, run->table.buffer_alloc(run->device, 0, sizeof(word), &buffers[i]) == HY_OK,
		        "alloc %lld fails", (long long)i);
		for (uint32_t k = 0; k < 64; k++)
			word[k] = (uint32_t)i * 1000 + k;
		const hy_command copy = conform__copy(conform__ref(buffers[i], 0, sizeof(word)),
		                                      conform__host_ref(word, sizeof(word)));
		if (!conform__submit(run, queue, 1, &copy)) return;
	}
	for (int64_t i = 0; i < count; i++) {
		const hy_command copy = conform__copy(conform__host_ref(back, sizeof(back)),
		                                      conform__ref(buffers[i], 0, sizeof(back)));
		if (!conform__submit(run, queue, 1, &copy)) return;
		REQUIRE(run, back[0] == (uint32_t)i * 1000 && back[63] == (uint32_t)i * 1000 + 63,
		        "buffer %lld of %lld holds another's bytes", (long long)i, (long long)count);
		run->table.buffer_free(run->device, buffers[i]);
	}
}

static void freed_memory_comes_back(conform_run *run, const conform_case *self)
{
	(void)self;
	enum { LENGTH = 4 << 20, ROUNDS = 256 };
	hy_queue *queue = conform__queue_open(run);
	CONTINUE(run);
	uint64_t before = 0;
	for (int i = 0; i < ROUNDS; i++) {
		hy_buffer *buffer = NULL;
		REQUIRE(run, run->table.buffer_alloc(run->device, 0, LENGTH, &buffer) == HY_OK, "alloc %d fails", i);
		const hy_command fill = conform__fill(conform__ref(buffer, 0, LENGTH), 1);
		if (!conform__submit(run, queue, 1, &fill)) return;
		run->table.buffer_free(run->device, buffer);
		if (i == 8) before = conform__process_resident_bytes();
	}
	const uint64_t after = conform__process_resident_bytes();
	REQUIRE(run, after < before + (64u << 20), "%d buffers of 4 MiB, each freed, left %llu MiB resident", ROUNDS,
	        (unsigned long long)((after - before) >> 20));
}

static void first_byte_is_aligned(conform_run *run, const conform_case *self)
{
	/* Not visible from outside but by a binding: bindings at offset 0 must be legal. Here: heap alignment is kept by
	 * sub-ranges at multiples of it. */
	(void)self;
	hy_queue *queue = conform__queue_open(run);
	CONTINUE(run);
	hy_heap_info heap = {.size = sizeof(heap)};
	REQUIRE(run, run->table.heap_info(run->device, 0, &heap) == HY_OK, "heap_info fails");
	conform_memory memory;
	uint8_t there[64], back[64];
	numbered(there, sizeof(there));
	if (!conform__memory_create(run, queue, sizeof(there), 0, &memory)) return;
	if (!conform__memory_write(run, queue, &memory, there) || !conform__memory_read(run, queue, &memory, back))
		return;
	REQUIRE(run, memcmp(there, back, sizeof(there)) == 0, "bytes at a multiple of binding_align differ");
}

/* ---- copies ---- */

typedef struct copy_row {
	const char *name;
	uint32_t target_offset, source_offset, length;
} copy_row;

static void device_copy(conform_run *run, const conform_case *self)
{
	const copy_row *row = self->param;
	hy_queue *queue = conform__queue_open(run);
	CONTINUE(run);
	conform_memory source, target;
	if (!conform__memory_create(run, queue, row->length, row->source_offset, &source) ||
	    !conform__memory_create(run, queue, row->length, row->target_offset, &target))
		return;
	uint8_t *there = malloc(row->length), *back = malloc(row->length);
	numbered(there, row->length);
	if (!conform__memory_write(run, queue, &source, there)) return;
	const hy_command copy = conform__copy(conform__ref(target.buffer, target.offset, row->length),
	                                      conform__ref(source.buffer, source.offset, row->length));
	if (!conform__submit(run, queue, 1, &copy)) return;
	if (!conform__memory_read(run, queue, &target, back)) return;
	for (uint32_t i = 0; i < row->length; i++)
		REQUIRE(run, back[i] == there[i],
		        "byte %u of %u (target offset %u, source offset %u) is %02x, not %02x", i, row->length,
		        row->target_offset, row->source_offset, back[i], there[i]);
	if (!conform__memory_read(run, queue, &source, back)) return;
	REQUIRE(run, memcmp(back, there, row->length) == 0, "the source was changed");
	free(there);
	free(back);
}

static void host_copy_misaligned(conform_run *run, const conform_case *self)
{
	enum { LENGTH = 1021 };
	const uint64_t shift = (uint64_t)self->number;
	hy_queue *queue = conform__queue_open(run);
	CONTINUE(run);
	conform_memory memory;
	if (!conform__memory_create(run, queue, LENGTH, shift, &memory)) return;
	uint8_t there[LENGTH + 64], back[LENGTH];
	numbered(there, sizeof(there));
	if (!conform__memory_write(run, queue, &memory, there + shift)) return;
	if (!conform__memory_read(run, queue, &memory, back)) return;
	for (uint32_t i = 0; i < LENGTH; i++)
		REQUIRE(run, back[i] == there[i + shift], "byte %u is %02x, not %02x", i, back[i], there[i + shift]);
}

static void within_one_buffer(conform_run *run, const conform_case *self)
{
	enum { HALF = 4099 };
	(void)self;
	hy_queue *queue = conform__queue_open(run);
	CONTINUE(run);
	conform_memory memory;
	if (!conform__memory_create(run, queue, 2 * HALF, 0, &memory)) return;
	uint8_t there[2 * HALF], back[2 * HALF];
	numbered(there, sizeof(there));
	if (!conform__memory_write(run, queue, &memory, there)) return;
	const hy_command copy = conform__copy(conform__ref(memory.buffer, memory.offset + HALF, HALF),
	                                      conform__ref(memory.buffer, memory.offset, HALF));
	if (!conform__submit(run, queue, 1, &copy) || !conform__memory_read(run, queue, &memory, back)) return;
	REQUIRE(run, memcmp(back, there, HALF) == 0, "the first half was changed");
	REQUIRE(run, memcmp(back + HALF, there, HALF) == 0, "the second half is no copy of the first");
}

static void empty_copy_changes_nothing(conform_run *run, const conform_case *self)
{
	(void)self;
	hy_queue *queue = conform__queue_open(run);
	CONTINUE(run);
	conform_memory memory;
	if (!conform__memory_create(run, queue, 64, 0, &memory)) return;
	uint8_t there[64], back[64];
	numbered(there, sizeof(there));
	if (!conform__memory_write(run, queue, &memory, there)) return;
	const hy_command commands[] = {
		conform__copy(conform__ref(memory.buffer, memory.offset, 0), conform__host_ref(there, 0)),
		conform__fill(conform__ref(memory.buffer, memory.offset, 0), 7)};
	if (!conform__submit(run, queue, 2, commands) || !conform__memory_read(run, queue, &memory, back)) return;
	REQUIRE(run, memcmp(back, there, sizeof(there)) == 0, "a copy or fill of 0 bytes changed something");
}

/* ---- fills ---- */

static void fill(conform_run *run, const conform_case *self)
{
	const copy_row *row = self->param;
	hy_queue *queue = conform__queue_open(run);
	CONTINUE(run);
	conform_memory memory;
	if (!conform__memory_create(run, queue, row->length, row->target_offset, &memory)) return;
	hy_command command = conform__fill(conform__ref(memory.buffer, memory.offset, row->length), 0);
	command.pattern = 0xffffffffffffff00u | (uint64_t)self->number; /* only the low byte counts */
	if (!conform__submit(run, queue, 1, &command)) return;
	uint8_t *back = malloc(row->length);
	if (!conform__memory_read(run, queue, &memory, back)) return;
	for (uint32_t i = 0; i < row->length; i++)
		REQUIRE(run, back[i] == (uint8_t)self->number, "byte %u of a fill of %u at offset %u is %02x, not %02x",
		        i, row->length, row->target_offset, back[i], (uint8_t)self->number);
	free(back);
}

/* ---- exhaustion ---- */

static void exhaustion_is_recoverable(conform_run *run, const conform_case *self)
{
	(void)self;
	if (!conform__target_ready(run) || !conform__has(run, run->table.heap_info != NULL, "heap_info")) return;
	hy_heap_info heap = {.size = sizeof(heap)};
	REQUIRE(run, run->table.heap_info(run->device, 0, &heap) == HY_OK, "heap_info fails");
	for (int i = 0; i < 8; i++) {
		hy_buffer *buffer = NULL;
		const uint64_t length = heap.total_bytes + (1ull << 40) + (uint64_t)i * 4096;
		const hy_status status = run->table.buffer_alloc(run->device, 0, length, &buffer);
		REQUIRE(run, status == HY_NO_MEMORY, "a buffer larger than the heap: %s, not NO_MEMORY",
		        hy_status_name(status));
		REQUIRE(run, run->host.last_scope == HY_SCOPE_CALL, "NO_MEMORY has scope %s, not CALL",
		        hy_scope_name(run->host.last_scope));
	}
	hy_queue *queue = conform__queue_open(run);
	CONTINUE(run);
	conform_memory memory;
	uint8_t there[300], back[300];
	numbered(there, sizeof(there));
	if (!conform__memory_create(run, queue, sizeof(there), 0, &memory)) return;
	if (!conform__memory_write(run, queue, &memory, there) || !conform__memory_read(run, queue, &memory, back))
		return;
	REQUIRE(run, memcmp(there, back, sizeof(there)) == 0, "after NO_MEMORY a round trip fails");
}

void conform__check_memory_list(conform_list *list)
{
	static const int64_t lengths[] = {0,  1,   2,   3,   15,   16,   17,   63,    64,
	                                  65, 255, 256, 257, 4095, 4096, 4097, 65537, 1048577};
	static const int64_t exact[] = {1, 7, 64, 100, 4096, 4097};
	conform_case item = {.info = {.group = "memory", .level = HY_CONFORM_L1}};
#define ADD(function, checked_rule, ...) \
	item.check = function;           \
	item.info.rule = checked_rule;   \
	conform__list_add(list, &item, __VA_ARGS__)
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		item.number = lengths[i];
		ADD(round_trip, "P13", "memory.round_trip.length_%lld", (long long)item.number);
	}
	for (size_t i = 0; i < sizeof(exact) / sizeof(exact[0]); i++) {
		item.number = exact[i];
		ADD(exact_size_is_usable, "P13", "memory.alloc.exact_%lld_disjoint", (long long)item.number);
	}
	item.number = INT64_MAX;
	ADD(refused_length, "P4", "memory.alloc.length_2_63_refused");
	item.number = -1;
	ADD(refused_length, "P4", "memory.alloc.length_2_64_refused");
	ADD(unknown_heap_is_refused, "P4", "memory.alloc.unknown_heap_refused");
	item.number = 512;
	ADD(many_live_at_once, "P13", "memory.alloc.512_live_at_once");
	ADD(freed_memory_comes_back, "P2", "memory.free.comes_back");
	ADD(first_byte_is_aligned, "P13", "memory.alloc.aligned_offset");
	ADD(exhaustion_is_recoverable, "P4", "memory.alloc.exhaustion_recoverable");

	static const copy_row copies[] = {
		{"plain", 0, 0, 4096},          {"target_offset_1", 1, 0, 1021}, {"source_offset_1", 0, 1, 1021},
		{"both_offset_1", 1, 1, 1021},  {"target_offset_2", 2, 0, 510},  {"target_offset_3", 3, 0, 509},
		{"source_offset_3", 0, 3, 63},  {"target_offset_5", 5, 2, 255},  {"target_offset_7", 7, 0, 17},
		{"source_offset_7", 0, 7, 33},  {"target_offset_9", 9, 4, 4097}, {"offset_13_11", 13, 11, 1000},
		{"offset_16_15", 16, 15, 129},  {"offset_17_0", 17, 0, 65537},   {"length_1", 0, 0, 1},
		{"length_1_odd", 3, 1, 1},      {"length_2_odd", 1, 3, 2},       {"length_3", 0, 0, 3},
		{"length_large", 0, 0, 3000001}};
	for (size_t i = 0; i < sizeof(copies) / sizeof(copies[0]); i++) {
		item.param = &copies[i];
		ADD(device_copy, "P13", "memory.copy.%s", copies[i].name);
	}
	for (item.number = 0; item.number < 18; item.number++) {
		ADD(host_copy_misaligned, "P13", "memory.copy.host_offset_%lld", (long long)item.number);
	}
	ADD(within_one_buffer, "P13", "memory.copy.within_one_buffer");
	ADD(empty_copy_changes_nothing, "P13", "memory.copy.empty");
	static const copy_row fills[] = {{"plain", 0, 0, 4096},   {"offset_1", 1, 0, 1021}, {"offset_3", 3, 0, 2},
	                                 {"length_1", 0, 0, 1},   {"offset_7", 7, 0, 17},   {"offset_4", 4, 0, 63},
	                                 {"large", 0, 0, 3000001}};
	static const int64_t patterns[] = {0x5b, 0, 0xff, 0x80, 0x01, 0x7f, 0x3c};
	for (size_t i = 0; i < sizeof(fills) / sizeof(fills[0]); i++) {
		item.param = &fills[i];
		item.number = patterns[i];
		ADD(fill, "P13", "memory.fill.%s", fills[i].name);
	}
#undef ADD
}
