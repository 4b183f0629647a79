/* Steps that are one oneDNN primitive, and what all of them read from a node. */
#include "cpu_build.h"

#include <stdio.h>

typedef struct prim_step {
	hy_cpu_step step;
	hy_cpu_prim *prim;
} prim_step;

static hy_status prim_run(hy_cpu_step *step, void *const *at, hy_error *error)
{
	return hy_cpu_prim_run(((prim_step *)(void *)step)->prim, at, error);
}

static void prim_finish(hy_cpu_step *step)
{
	hy_cpu_prim_destroy(((prim_step *)(void *)step)->prim);
}

hy_status hy_cpu_build_prim(hy_cpu_build *build, hy_cpu_prim *take_prim, const hy_cpu_view *views, uint32_t count,
                            hy_error *error)
{
	prim_step *p;
	hy_status status = hy_cpu_build_step(build, sizeof(*p), hy_cpu_prim_name(take_prim), &p, error);
	if (status != HY_OK) return status;
	p->step.run = prim_run;
	if (hy_cpu_prim_is_reference(take_prim)) p->step.flags |= HY_STEP_REFERENCE;
	for (uint32_t i = 0; i < count && status == HY_OK; i++)
		status = hy_cpu_build_operand_view(build, &p->step, &views[i], error);
	if (status == HY_OK && hy_cpu_prim_scratch_bytes(take_prim) > 0)
		status = hy_cpu_build_scratch(build, &p->step, hy_cpu_prim_scratch_bytes(take_prim), error);
	if (status != HY_OK) return status;
	p->prim = take_prim;
	p->step.finish = prim_finish;
	return HY_OK;
}

hy_status hy_cpu_build_packed(hy_cpu_build *build, const hy_cpu_prim *prim, uint32_t argument, const hy_cpu_md *plain,
                              const void *data, hy_cpu_view *out_view, hy_error *error)
{
	void *packed;
	uint32_t storage;
	hy_status status = hy_cpu_build_block(build, hy_cpu_prim_bytes(prim, argument), &packed, &storage, error);
	if (status == HY_OK) status = hy_cpu_prim_pack(prim, argument, plain, data, packed, error);
	if (status != HY_OK) return status;
	*out_view = (hy_cpu_view){.storage = storage};
	return HY_OK;
}

static int64_t attr_at(const hy_ir_node *ir, const char *name, uint32_t index, int64_t fallback)
{
	const hy_ir_attr *attr = hy_ir_node_attr(ir, name);
	return attr != NULL && attr->kind == HY_ATTR_INTS && index < attr->count ? attr->ints[index] : fallback;
}

hy_status hy_cpu_window_read(const hy_ir_node *ir, const hy_ir_type *in, const hy_ir_type *out, const int64_t *kernel,
                             hy_cpu_window *out_window)
{
	const char *automatic = hy_ir_node_attr_string(ir, "auto_pad", "NOTSET");
	hy_cpu_window w = {.rank = in->rank - 2};
	if (in->rank < 3 || in->rank > 5) return HY_UNSUPPORTED;
	for (uint32_t i = 0; i < 3; i++) {
		w.kernel[i] = 1;
		w.stride[i] = 1;
		w.dilation[i] = 1;
	}
	for (uint32_t i = 0; i < w.rank; i++) {
		w.kernel[i] = kernel != NULL ? kernel[i] : attr_at(ir, "kernel_shape", i, 1);
		w.stride[i] = attr_at(ir, "strides", i, 1);
		w.dilation[i] = attr_at(ir, "dilations", i, 1);
		w.begin[i] = attr_at(ir, "pads", i, 0);
		const int64_t reach = (w.kernel[i] - 1) * w.dilation[i] + 1;
		const int64_t needed = (out->dim[i + 2] - 1) * w.stride[i] + reach - in->dim[i + 2];
		if (strcmp(automatic, "VALID") == 0) w.begin[i] = 0;
		if (strcmp(automatic, "SAME_UPPER") == 0) w.begin[i] = needed > 0 ? needed / 2 : 0;
		if (strcmp(automatic, "SAME_LOWER") == 0) w.begin[i] = needed > 0 ? (needed + 1) / 2 : 0;
		w.end[i] = needed - w.begin[i];
	}
	*out_window = w;
	return HY_OK;
}
