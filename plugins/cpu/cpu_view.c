/* Places of values: strides, orders, and copies where a consumer needs another order. */
#include "cpu_build.h"

hy_cpu_order hy_cpu_order_plain(void)
{
	hy_cpu_order order;
	for (uint32_t i = 0; i < HY_MAX_RANK; i++)
		order.dim[i] = (uint8_t)i;
	return order;
}

hy_cpu_order hy_cpu_order_last(uint32_t rank)
{
	hy_cpu_order order = hy_cpu_order_plain();
	if (rank < 3) return order;
	for (uint32_t i = 1; i + 1 < rank; i++)
		order.dim[i] = (uint8_t)(i + 1);
	order.dim[rank - 1] = 1;
	return order;
}

static int64_t magnitude(int64_t value)
{
	return value < 0 ? -value : value;
}

hy_cpu_order hy_cpu_order_of(const hy_cpu_view *view)
{
	hy_cpu_order order = hy_cpu_order_plain();
	uint8_t slots[HY_MAX_RANK], dims[HY_MAX_RANK];
	uint32_t count = 0;
	/* Dims of one element and broadcast dims stay where they are; the others are sorted by falling stride. */
	for (uint32_t i = 0; i < view->type.rank; i++) {
		if (view->type.dim[i] == 1 || view->stride[i] == 0) continue;
		const int64_t stride = magnitude(view->stride[i]);
		uint32_t to = count;
		for (; to > 0 && magnitude(view->stride[dims[to - 1]]) < stride; to--)
			dims[to] = dims[to - 1];
		dims[to] = (uint8_t)i;
		slots[count++] = (uint8_t)i;
	}
	for (uint32_t i = 0; i < count; i++)
		order.dim[slots[i]] = dims[i];
	return order;
}

void hy_cpu_view_dense(hy_cpu_view *view, const hy_cpu_order *order)
{
	int64_t stride = 1;
	for (uint32_t i = view->type.rank; i-- > 0;) {
		const uint8_t dim = order->dim[i];
		view->stride[dim] = stride;
		stride *= view->type.dim[dim];
	}
}

bool hy_cpu_view_is_dense(const hy_cpu_view *view, const hy_cpu_order *order)
{
	int64_t stride = 1;
	for (uint32_t i = view->type.rank; i-- > 0;) {
		const uint8_t dim = order->dim[i];
		if (view->type.dim[dim] != 1 && view->stride[dim] != stride) return false;
		stride *= view->type.dim[dim];
	}
	return true;
}

hy_cpu_md hy_cpu_view_md(const hy_cpu_view *view)
{
	hy_cpu_md md = {.dtype = view->type.dtype, .rank = view->type.rank};
	memcpy(md.dim, view->type.dim, sizeof(view->type.dim));
	memcpy(md.stride, view->stride, sizeof(view->stride));
	return md;
}

bool hy_cpu_view_reshape(const hy_cpu_view *view, const hy_ir_type *type, hy_cpu_view *out_view)
{
	int64_t dims[HY_MAX_RANK], strides[HY_MAX_RANK];
	uint32_t count = 0;
	for (uint32_t i = 0; i < view->type.rank; i++) {
		if (view->type.dim[i] == 1) continue;
		dims[count] = view->type.dim[i];
		strides[count++] = view->stride[i];
	}
	hy_cpu_view made = *view;
	made.type = *type;
	uint32_t from = 0;
	for (uint32_t to = 0; to < type->rank;) {
		if (type->dim[to] == 1) {
			made.stride[to++] = 1;
			continue;
		}
		/* Runs of old and new dims with the same number of elements; the old ones must lie in one run of memory. */
		if (from == count) return false;
		uint32_t from_end = from + 1, to_end = to + 1;
		int64_t old_elements = dims[from], new_elements = type->dim[to];
		while (old_elements != new_elements) {
			if (old_elements < new_elements) {
				if (from_end == count) return false;
				if (strides[from_end - 1] != strides[from_end] * dims[from_end]) return false;
				old_elements *= dims[from_end++];
			} else {
				if (to_end == type->rank) return false;
				new_elements *= type->dim[to_end++];
			}
		}
		int64_t stride = strides[from_end - 1];
		for (uint32_t i = to_end; i-- > to;) {
			made.stride[i] = stride;
			stride *= type->dim[i];
		}
		from = from_end;
		to = to_end;
	}
	*out_view = made;
	return true;
}

static hy_status constant_place(hy_cpu_build *build, uint32_t value, hy_error *error)
{
	const uint64_t bytes = hy_ir_type_bytes(&build->values[value].view.type);
	const hy_cpu_order plain = hy_cpu_order_plain();
	void *data;
	uint32_t storage;
	const hy_status status = hy_cpu_build_block(build, bytes, &data, &storage, error);
	if (status != HY_OK) return status;
	hy_cpu_value *v = &build->values[value];
	if (bytes > 0) memcpy(data, v->data, bytes);
	v->view.storage = storage;
	v->view.offset = 0;
	hy_cpu_view_dense(&v->view, &plain);
	return HY_OK;
}

/* Moves a value out of a primitive's places. */
static hy_status unpack(hy_cpu_build *build, uint32_t value, const hy_cpu_order *order, hy_error *error)
{
	hy_cpu_view to = {.type = build->values[value].view.type};
	hy_cpu_view_dense(&to, order);
	hy_status status = hy_cpu_build_storage(build, HY_CPU_BASE_WORKSPACE, hy_ir_type_bytes(&to.type), &to.storage,
	                                        error);
	if (status == HY_OK) status = hy_cpu_build_put(build, value, &to, error);
	if (status == HY_OK) hy_cpu_build_alias(build, value, &to);
	return status;
}

/* Moves the bytes of a reshape that was put off, at once into that order where one copy can do it. */
static hy_status unflatten(hy_cpu_build *build, uint32_t value, const hy_cpu_order *order, hy_error *error)
{
	const hy_cpu_order plain = hy_cpu_order_plain();
	const uint32_t origin = build->values[value].unflattened;
	hy_cpu_view from, to = {.type = build->values[value].view.type}, seen;
	hy_cpu_view_dense(&to, order);
	if (!hy_cpu_view_reshape(&to, &build->values[origin].view.type, &seen)) {
		const hy_status status = hy_cpu_build_dense(build, origin, &plain, &from, error);
		if (status != HY_OK) return status;
		if (!hy_cpu_view_reshape(&from, &to.type, &to))
			return hy_error_set(error, HY_INTERNAL, "cpu: a reshape does not fit");
		hy_cpu_build_alias(build, value, &to);
		return HY_OK;
	}
	hy_status status = hy_cpu_build_view(build, origin, &from, error);
	if (status == HY_OK) {
		status = hy_cpu_build_storage(build, HY_CPU_BASE_WORKSPACE, hy_ir_type_bytes(&to.type), &to.storage,
		                              error);
	}
	seen.storage = to.storage;
	if (status == HY_OK) status = hy_cpu_build_copy(build, &from, &seen, error);
	if (status == HY_OK) hy_cpu_build_alias(build, value, &to);
	return status;
}

hy_status hy_cpu_build_view(hy_cpu_build *build, uint32_t value, hy_cpu_view *out_view, hy_error *error)
{
	hy_cpu_value *v = &build->values[value];
	hy_status status = HY_OK;
	if (v->view.storage == HY_CPU_NONE && v->data != NULL) {
		status = constant_place(build, value, error);
	} else if (hy_cpu_value_is_packed(build, value)) {
		const hy_cpu_order last = hy_cpu_order_last(v->view.type.rank);
		status = unpack(build, value, &last, error);
	} else if (v->view.storage == HY_CPU_NONE && v->unflattened != HY_CPU_NONE) {
		/* Channels stay innermost when they were. */
		const hy_cpu_view *origin = &build->values[v->unflattened].view;
		const hy_cpu_order found = hy_cpu_order_of(origin), plain = hy_cpu_order_plain();
		const hy_cpu_order last = hy_cpu_order_last(v->view.type.rank);
		const bool is_plain = origin->storage == HY_CPU_NONE ||
		                      found.dim[origin->type.rank - 1] == origin->type.rank - 1;
		status = unflatten(build, value, is_plain ? &plain : &last, error);
	}
	if (status != HY_OK) return status;
	*out_view = build->values[value].view;
	if (out_view->storage == HY_CPU_NONE)
		return hy_error_set(error, HY_INTERNAL, "cpu: a value is read before it is made");
	return HY_OK;
}

hy_status hy_cpu_build_dense(hy_cpu_build *build, uint32_t value, const hy_cpu_order *order, hy_cpu_view *out_view,
                             hy_error *error)
{
	hy_cpu_view view;
	hy_status status = HY_OK;
	if (hy_cpu_value_is_packed(build, value)) {
		status = unpack(build, value, order, error);
	} else if (build->values[value].view.storage == HY_CPU_NONE &&
	           build->values[value].unflattened != HY_CPU_NONE) {
		status = unflatten(build, value, order, error);
	}
	if (status == HY_OK) status = hy_cpu_build_view(build, value, &view, error);
	if (status != HY_OK) return status;
	*out_view = view;
	if (hy_cpu_view_is_dense(&view, order)) return HY_OK;
	for (uint32_t i = 0; i < 2; i++) {
		*out_view = build->values[value].copies[i];
		if (out_view->storage != HY_CPU_NONE && hy_cpu_view_is_dense(out_view, order)) return HY_OK;
	}
	hy_cpu_view copy = view;
	const uint64_t bytes = hy_ir_type_bytes(&view.type);
	copy.offset = 0;
	hy_cpu_view_dense(&copy, order);
	if (build->values[value].data != NULL) {
		void *data;
		status = hy_cpu_build_block(build, bytes, &data, &copy.storage, error);
		if (status != HY_OK) return status;
		const char *from = (const char *)(intptr_t)build->storages[view.storage].offset + view.offset;
		hy_cpu_copy(hy_dtype_bits(view.type.dtype) / 8, view.type.rank, view.type.dim, from, view.stride, data,
		            copy.stride);
	} else {
		status = hy_cpu_build_storage(build, HY_CPU_BASE_WORKSPACE, bytes, &copy.storage, error);
		if (status != HY_OK) return status;
		build->storages[copy.storage].readers = 1;
		status = hy_cpu_build_copy(build, &view, &copy, error);
		if (status != HY_OK) return status;
	}
	hy_cpu_value *v = &build->values[value];
	v->copies[v->copies[0].storage == HY_CPU_NONE ? 0 : 1] = copy;
	*out_view = copy;
	return HY_OK;
}

void hy_cpu_build_alias(hy_cpu_build *build, uint32_t value, const hy_cpu_view *view)
{
	hy_cpu_value *v = &build->values[value];
	const hy_ir_type type = v->view.type;
	v->view = *view;
	v->view.type = type;
	build->storages[view->storage].readers += v->uses;
}

/* A value that is a part of a concatenation gets its channels of the whole, which is made with the first part. */
static hy_status make_inside(hy_cpu_build *build, uint32_t value, hy_cpu_view *out_view, hy_error *error)
{
	int64_t channel = 0;
	uint32_t whole = value;
	for (; build->values[whole].inside != HY_CPU_NONE; whole = build->values[whole].inside)
		channel += build->values[whole].inside_channel;
	if (build->values[whole].view.storage == HY_CPU_NONE) {
		const hy_cpu_order last = hy_cpu_order_last(build->values[whole].view.type.rank);
		hy_cpu_view made;
		const hy_status status = hy_cpu_build_make(build, whole, &last, 0, &made, error);
		if (status != HY_OK) return status;
	}
	hy_cpu_view view = build->values[whole].view;
	view.type = build->values[value].view.type;
	view.offset += channel * (int64_t)(hy_dtype_bits(view.type.dtype) / 8);
	hy_cpu_build_alias(build, value, &view);
	*out_view = view;
	return HY_OK;
}

hy_status hy_cpu_build_make(hy_cpu_build *build, uint32_t value, const hy_cpu_order *order, uint32_t flags,
                            hy_cpu_view *out_view, hy_error *error)
{
	if ((flags & HY_CPU_MAKE_STRIDED) != 0 && build->values[value].inside != HY_CPU_NONE)
		return make_inside(build, value, out_view, error);
	const hy_cpu_order plain = hy_cpu_order_plain();
	hy_cpu_view view = build->values[value].view;
	view.offset = 0;
	view.storage = HY_CPU_NONE;
	hy_cpu_view_dense(&view, order);
	if (build->values[value].binding != HY_CPU_NONE && hy_cpu_view_is_dense(&view, &plain)) {
		view.storage = build->values[value].binding;
	} else {
		const hy_status status = hy_cpu_build_storage(build, HY_CPU_BASE_WORKSPACE,
		                                              hy_ir_type_bytes(&view.type), &view.storage, error);
		if (status != HY_OK) return status;
	}
	hy_cpu_build_alias(build, value, &view);
	*out_view = view;
	return HY_OK;
}

bool hy_cpu_build_dies(const hy_cpu_build *build, uint32_t value, uint32_t times)
{
	const hy_cpu_value *v = &build->values[value];
	if (v->view.storage == HY_CPU_NONE) return false;
	const hy_cpu_storage *storage = &build->storages[v->view.storage];
	return storage->base == HY_CPU_BASE_WORKSPACE && storage->readers == times;
}

hy_status hy_cpu_build_outputs(hy_cpu_build *build, hy_error *error)
{
	const uint32_t inputs = hy_ir_graph_input_count(build->graph);
	const uint32_t count = hy_ir_graph_output_count(build->graph);
	const uint32_t *outputs = hy_ir_graph_outputs(build->graph);
	const hy_cpu_order plain = hy_cpu_order_plain();
	build->row = HY_GRAPH_NONE;
	for (uint32_t i = 0; i < count; i++) {
		hy_cpu_view to = {.type = build->values[outputs[i]].view.type};
		to.storage = inputs + i; /* storages begin with those of the bindings, in order */
		hy_cpu_view_dense(&to, &plain);
		const hy_status status = hy_cpu_build_put(build, outputs[i], &to, error);
		if (status != HY_OK) return status;
	}
	return HY_OK;
}
