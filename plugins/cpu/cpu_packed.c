/* Values in places that only oneDNN can name (channels in blocks): kernels hand them on as they are; everything else
 * asks for strides, and the value is moved then. */
#include "cpu_build.h"

bool hy_cpu_value_is_packed(const hy_cpu_build *build, uint32_t value)
{
	return build->values[value].packed.prim != NULL && build->values[value].view.storage == HY_CPU_NONE;
}

hy_status hy_cpu_build_make_packed(hy_cpu_build *build, uint32_t value, const hy_cpu_prim *prim, uint32_t argument,
                                   hy_cpu_view *out_view, hy_error *error)
{
	*out_view = (hy_cpu_view){.storage = HY_CPU_NONE};
	const hy_status status = hy_cpu_build_storage(build, HY_CPU_BASE_WORKSPACE, hy_cpu_prim_bytes(prim, argument),
	                                              &out_view->storage, error);
	if (status != HY_OK) return status;
	build->values[value].packed = (hy_cpu_packed){.prim = prim, .argument = argument, .storage = out_view->storage};
	return HY_OK;
}

static hy_status reorder_step(hy_cpu_build *build, hy_cpu_prim *take_prim, const hy_cpu_view *views, hy_error *error)
{
	const hy_status status = hy_cpu_build_prim(build, take_prim, views, 2, error);
	if (status != HY_OK) {
		hy_cpu_prim_destroy(take_prim);
		return status;
	}
	hy_cpu_step *step = build->steps[build->step_count - 1];
	memmove(step->implementation + 5, step->implementation, sizeof(step->implementation) - 6);
	memcpy(step->implementation, "copy:", 5);
	step->flags |= HY_STEP_REORDER;
	return HY_OK;
}

hy_status hy_cpu_build_packed_source(hy_cpu_build *build, uint32_t value, const hy_cpu_prim *prim, uint32_t argument,
                                     hy_cpu_view *out_view, hy_error *error)
{
	const hy_cpu_packed found = build->values[value].packed;
	if (found.prim != NULL && hy_cpu_prim_same_place(found.prim, found.argument, prim, argument)) {
		*out_view = (hy_cpu_view){.storage = found.storage};
		return HY_OK;
	}
	hy_cpu_view views[2];
	hy_cpu_prim *pack = NULL;
	hy_status status = hy_cpu_build_view(build, value, &views[0], error);
	if (status != HY_OK) return status;
	const hy_cpu_md plain = hy_cpu_view_md(&views[0]);
	status = hy_cpu_prim_packer(prim, argument, &plain, &pack, error);
	if (status == HY_OK) status = hy_cpu_build_make_packed(build, value, prim, argument, &views[1], error);
	if (status != HY_OK) {
		hy_cpu_prim_destroy(pack);
		return status;
	}
	*out_view = views[1];
	return reorder_step(build, pack, views, error);
}

hy_status hy_cpu_build_put(hy_cpu_build *build, uint32_t value, const hy_cpu_view *to, hy_error *error)
{
	hy_cpu_view views[2] = {{.storage = HY_CPU_NONE}, *to};
	if (!hy_cpu_value_is_packed(build, value)) {
		const hy_status status = hy_cpu_build_view(build, value, &views[0], error);
		if (status != HY_OK) return status;
		if (views[0].storage == to->storage && views[0].offset == to->offset) return HY_OK;
		return hy_cpu_build_copy(build, &views[0], to, error);
	}
	const hy_cpu_packed from = build->values[value].packed;
	const hy_cpu_md md = hy_cpu_view_md(to);
	hy_cpu_prim *unpack = NULL;
	const hy_status status = hy_cpu_prim_unpacker(from.prim, from.argument, &md, &unpack, error);
	if (status != HY_OK) return status == HY_UNSUPPORTED ? HY_INTERNAL : status;
	views[0].storage = from.storage;
	return reorder_step(build, unpack, views, error);
}
