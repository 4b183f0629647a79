/* Where values lie: storages, the forms of a value, and the kernels that change a form. */
#include "handler.h"

#include <stdlib.h>
#include <string.h>

static uint32_t storage_create(hy_kernels__lower *lower, hy_kernels_arg_kind kind, uint32_t index, uint64_t bytes)
{
	if (!hy_kernels__grow(lower, (void **)&lower->storages, lower->storage_count, &lower->storage_room,
	                      sizeof(*lower->storages)))
		return 0;
	lower->storages[lower->storage_count] = (hy_kernels__storage){
		.kind = kind, .index = index, .bytes = bytes, .first = UINT32_MAX};
	return lower->storage_count++;
}

hy_kernels__place hy_kernels__binding(hy_kernels__lower *lower, uint32_t binding)
{
	return (hy_kernels__place){.storage = storage_create(lower, HY_KERNELS_BINDING, binding, 0)};
}

hy_kernels__place hy_kernels__scratch(hy_kernels__lower *lower, uint64_t bytes)
{
	return (hy_kernels__place){.storage = storage_create(lower, HY_KERNELS_ARENA, 0, bytes)};
}

void *hy_kernels__alloc(hy_kernels__lower *lower, uint64_t bytes)
{
	void *data = aligned_alloc(64, (bytes + 63) / 64 * 64 + 64);
	if (data == NULL) lower->failed = true;
	return data;
}

hy_kernels__place hy_kernels__constant(hy_kernels__lower *lower, void *take_data, uint64_t bytes)
{
	hy_kernels_program *program = lower->program;
	if (!hy_kernels__grow(lower, (void **)&program->constants, program->constant_count, &lower->constant_room,
	                      sizeof(*program->constants))) {
		free(take_data);
		return (hy_kernels__place){0};
	}
	program->constants[program->constant_count] = (hy_kernels_constant){take_data, bytes};
	return (hy_kernels__place){
		.storage = storage_create(lower, HY_KERNELS_CONSTANT, program->constant_count++, bytes)};
}

hy_kernels__plane hy_kernels__plane_of(const hy_ir_type *type, uint32_t pad)
{
	const int32_t side = (int32_t)pad, row = (int32_t)type->dim[3] + side;
	return (hy_kernels__plane){
		.row = row,
		.plane = ((int32_t)type->dim[2] + 2 * side) * row + side,
		.origin = side * row + side,
	};
}

uint32_t hy_kernels__blocks(const hy_ir_type *type)
{
	return (uint32_t)((type->dim[1] + BLOCK - 1) / BLOCK);
}

/* A blocked value whose bytes are also those of its plain form. */
static bool is_same_bytes(const hy_ir_type *type, uint32_t pad, uint32_t planes)
{
	return pad == 0 && type->dim[2] == 1 && type->dim[3] == 1 && type->dim[1] % BLOCK == 0 &&
	       (planes == hy_kernels__blocks(type) || type->dim[0] == 1);
}

static hy_kernels__place plain_place(hy_kernels__lower *lower, const hy_kernels__value *value)
{
	if (value->home != HY_IR_NONE) return hy_kernels__binding(lower, lower->input_count + value->home);
	return hy_kernels__scratch(lower, hy_ir_type_bytes(&value->type));
}

hy_kernels__place hy_kernels__make(hy_kernels__lower *lower, uint32_t value, hy_kernels__form form)
{
	if (lower->failed) return (hy_kernels__place){0};
	const hy_kernels__value at = lower->values[value];
	hy_kernels__place place = {.storage = HY_IR_NONE};
	if (form == FORM_PLAIN) {
		place = plain_place(lower, &at);
	} else if (form == FORM_BLOCK && at.joined != HY_IR_NONE) {
		place = lower->values[at.joined].places[FORM_BLOCK];
		if (place.storage == HY_IR_NONE) place = hy_kernels__make(lower, at.joined, FORM_BLOCK);
		const hy_kernels__plane plane = hy_kernels__plane_of(&at.type, place.pad);
		place.offset += (uint64_t)at.joined_plane * (uint64_t)plane.plane * BLOCK * sizeof(float);
	} else if (form == FORM_BLOCK && is_same_bytes(&at.type, at.pad, hy_kernels__blocks(&at.type))) {
		place = plain_place(lower, &at);
		place.planes = hy_kernels__blocks(&at.type);
	} else {
		const hy_kernels__plane plane = hy_kernels__plane_of(&at.type, at.pad);
		const uint32_t planes = form == FORM_BLOCK ? hy_kernels__blocks(&at.type) : (uint32_t)at.type.dim[1];
		const uint64_t lanes = form == FORM_BLOCK ? BLOCK : 1;
		place = hy_kernels__scratch(lower, (uint64_t)at.type.dim[0] * planes * (uint64_t)plane.plane * lanes *
		                                           sizeof(float));
		place.pad = at.pad;
		place.planes = planes;
	}
	if (lower->failed) return (hy_kernels__place){0};
	lower->values[value].places[form] = place;
	if (form == FORM_BLOCK && is_same_bytes(&at.type, place.pad, place.planes))
		lower->values[value].places[FORM_PLAIN] = (hy_kernels__place){place.storage, 0, 0, place.offset};
	return place;
}

void hy_kernels__alias(hy_kernels__lower *lower, uint32_t value, hy_kernels__form form, hy_kernels__place place)
{
	if (!lower->failed) lower->values[value].places[form] = place;
}

static hy_kernels__place upload(hy_kernels__lower *lower, uint32_t value)
{
	const hy_kernels__value *at = &lower->values[value];
	const uint64_t bytes = hy_ir_type_bytes(&at->type);
	void *data = NULL;
	if (at->data != NULL) {
		data = hy_kernels__alloc(lower, bytes);
		if (data != NULL && bytes > 0) memcpy(data, at->data, bytes);
	}
	return hy_kernels__constant(lower, data, bytes);
}

/* Between FORM_PLAIN and the two others; one work-item moves a row of a plane. */
static void change_form(hy_kernels__lower *lower, uint32_t value, const char *name, hy_kernels__place from,
                        hy_kernels__place to, hy_kernels__place padded)
{
	const hy_ir_type type = lower->values[value].type;
	const hy_kernels__plane plane = hy_kernels__plane_of(&type, padded.pad);
	hy_kernels__text defines = {0};
	const uint32_t kernel = hy_kernels__kernel(lower, name, &defines, NULL);
	const bool is_halo = strcmp(name, "halo") == 0;
	const uint64_t planes = is_halo ? (uint64_t)type.dim[1] : hy_kernels__blocks(&type);
	hy_kernels__launch(lower, kernel, HY_GRAPH_NONE, (uint64_t)type.dim[2], planes, (uint64_t)type.dim[0], 1);
	hy_kernels__pass(lower, from);
	hy_kernels__pass(lower, to);
	hy_kernels__pass_int(lower, type.dim[1]);
	hy_kernels__pass_int(lower, type.dim[2]);
	hy_kernels__pass_int(lower, type.dim[3]);
	hy_kernels__pass_int(lower, plane.row);
	hy_kernels__pass_int(lower, plane.plane);
	hy_kernels__pass_int(lower, padded.pad);
	hy_kernels__pass_int(lower, padded.planes);
}

hy_kernels__place hy_kernels__need(hy_kernels__lower *lower, uint32_t value, hy_kernels__form form, uint32_t pad)
{
	if (lower->failed) return (hy_kernels__place){0};
	hy_kernels__value *at = &lower->values[value];
	const hy_kernels__place there = at->places[form];
	if (there.storage != HY_IR_NONE && (form == FORM_PLAIN || there.pad >= pad)) return there;

	if (form == FORM_PLAIN) {
		if (at->constant) {
			const hy_kernels__place place = upload(lower, value);
			hy_kernels__alias(lower, value, FORM_PLAIN, place);
			return place;
		}
		const hy_kernels__place from = at->places[FORM_BLOCK];
		if (from.storage == HY_IR_NONE) {
			lower->failed = true; /* no node made it: a bug that must not become a wild read */
			return from;
		}
		const hy_kernels__place to = hy_kernels__make(lower, value, FORM_PLAIN);
		change_form(lower, value, "unblock", from, to, from);
		return to;
	}
	const hy_kernels__place from = hy_kernels__need(lower, value, FORM_PLAIN, 0);
	if (lower->failed) return from;
	at = &lower->values[value];
	if (at->pad < pad) at->pad = pad;
	at->joined = HY_IR_NONE;
	if (form == FORM_BLOCK && is_same_bytes(&at->type, at->pad, hy_kernels__blocks(&at->type))) {
		const hy_kernels__place same = {from.storage, 0, hy_kernels__blocks(&at->type), from.offset};
		hy_kernels__alias(lower, value, FORM_BLOCK, same);
		return same;
	}
	const hy_kernels__place to = hy_kernels__make(lower, value, form);
	change_form(lower, value, form == FORM_HALO ? "halo" : "block", from, to, to);
	return to;
}
