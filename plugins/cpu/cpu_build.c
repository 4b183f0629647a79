/* The builder's memory: arrays that grow, steps, blocks of constants. */
#include "cpu_build.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

/* Blocks this large are read in streams: huge pages save the TLB misses. */
#define HUGE_PAGE ((uint64_t)1 << 21)

static hy_status no_memory(hy_error *error)
{
	return hy_error_set(error, HY_NO_MEMORY, "cpu: no memory to compile");
}

hy_status hy_cpu_build_grow(void *items, size_t item_bytes, uint32_t count, uint32_t *room, hy_error *error)
{
	if (count < *room) return HY_OK;
	void *old;
	memcpy(&old, items, sizeof(old));
	const uint32_t wanted = *room < 16 ? 16 : 2 * *room;
	void *grown = realloc(old, wanted * item_bytes);
	if (grown == NULL) return no_memory(error);
	memcpy(items, &grown, sizeof(grown));
	*room = wanted;
	return HY_OK;
}

void hy_cpu_build_finish(hy_cpu_build *build)
{
	for (uint32_t i = 0; i < build->step_count; i++) {
		hy_cpu_step *step = build->steps[i];
		if (step->finish != NULL) step->finish(step);
		free(step->operands);
		free(step);
	}
	for (uint32_t i = 0; i < build->block_count; i++)
		free(build->blocks[i]);
	for (uint32_t i = 0; i < build->list_count; i++)
		free(build->lists[i]);
	free(build->values);
	free(build->nodes);
	free(build->storages);
	free(build->steps);
	free(build->blocks);
	free(build->lists);
}

hy_status hy_cpu_build_value(hy_cpu_build *build, const hy_ir_type *type, uint32_t *out_value, hy_error *error)
{
	const hy_status status = hy_cpu_build_grow(&build->values, sizeof(*build->values), build->value_count,
	                                           &build->value_room, error);
	if (status != HY_OK) return status;
	build->values[build->value_count] = (hy_cpu_value){
		.view = {.type = *type, .storage = HY_CPU_NONE},
		.copies = {{.storage = HY_CPU_NONE}, {.storage = HY_CPU_NONE}},
		.binding = HY_CPU_NONE,
		.unflattened = HY_CPU_NONE,
		.inside = HY_CPU_NONE,
	};
	*out_value = build->value_count++;
	return HY_OK;
}

hy_status hy_cpu_build_storage(hy_cpu_build *build, uint32_t base, uint64_t bytes, uint32_t *out_storage,
                               hy_error *error)
{
	const hy_status status = hy_cpu_build_grow(&build->storages, sizeof(*build->storages), build->storage_count,
	                                           &build->storage_room, error);
	if (status != HY_OK) return status;
	build->storages[build->storage_count] = (hy_cpu_storage){.base = base, .bytes = bytes, .first = HY_CPU_NONE};
	*out_storage = build->storage_count++;
	return HY_OK;
}

hy_status hy_cpu_build_block(hy_cpu_build *build, uint64_t bytes, void **out_data, uint32_t *out_storage,
                             hy_error *error)
{
	hy_status status = hy_cpu_build_grow(&build->blocks, sizeof(*build->blocks), build->block_count,
	                                     &build->block_room, error);
	if (status == HY_OK) status = hy_cpu_build_storage(build, HY_CPU_BASE_ADDRESS, bytes, out_storage, error);
	if (status != HY_OK) return status;
	const uint64_t align = bytes >= HUGE_PAGE ? HUGE_PAGE : HY_CPU_ALIGN;
	const uint64_t rounded = bytes == 0 ? align : (bytes + align - 1) / align * align;
	void *data = aligned_alloc(align, rounded);
	if (data == NULL) return no_memory(error);
	if (bytes >= HUGE_PAGE) (void)madvise(data, rounded, MADV_HUGEPAGE);
	build->blocks[build->block_count++] = data;
	build->block_bytes += rounded;
	build->storages[*out_storage].offset = (int64_t)(intptr_t)data;
	*out_data = data;
	return HY_OK;
}

hy_status hy_cpu_build_step(hy_cpu_build *build, size_t size, const char *implementation, void *out_step,
                            hy_error *error)
{
	const hy_status status = hy_cpu_build_grow(&build->steps, sizeof(*build->steps), build->step_count,
	                                           &build->step_room, error);
	if (status != HY_OK) return status;
	hy_cpu_step *step = calloc(1, size);
	if (step == NULL) return no_memory(error);
	step->node = build->row;
	(void)snprintf(step->implementation, sizeof(step->implementation), "%s", implementation);
	build->steps[build->step_count++] = step;
	memcpy(out_step, &step, sizeof(step));
	return HY_OK;
}

hy_status hy_cpu_build_operand(hy_cpu_build *build, hy_cpu_step *step, uint32_t storage, int64_t offset,
                               hy_error *error)
{
	const hy_status status = hy_cpu_build_grow(&step->operands, sizeof(*step->operands), step->operand_count,
	                                           &step->operand_room, error);
	if (status != HY_OK) return status;
	step->operands[step->operand_count++] = (hy_cpu_operand){.storage = storage, .offset = offset};
	hy_cpu_storage *touched = &build->storages[storage];
	const uint32_t now = build->step_count - 1;
	if (touched->first == HY_CPU_NONE) touched->first = now;
	touched->last = now;
	return HY_OK;
}

hy_status hy_cpu_build_operand_view(hy_cpu_build *build, hy_cpu_step *step, const hy_cpu_view *view, hy_error *error)
{
	return hy_cpu_build_operand(build, step, view->storage, view->offset, error);
}

hy_status hy_cpu_build_scratch(hy_cpu_build *build, hy_cpu_step *step, uint64_t bytes, hy_error *error)
{
	uint32_t storage;
	const hy_status status = hy_cpu_build_storage(build, HY_CPU_BASE_WORKSPACE, bytes, &storage, error);
	if (status != HY_OK) return status;
	return hy_cpu_build_operand(build, step, storage, 0, error);
}
