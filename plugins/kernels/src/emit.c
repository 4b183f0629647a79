/* Kernels from templates, and the list of launches. */
#include "emit.h"
#include "template.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *template_text(const char *name)
{
	for (const hy_kernels__template *row = hy_kernels__templates; row->name != NULL; row++)
		if (strcmp(row->name, name) == 0) return row->text;
	return NULL;
}

/* The number of the kernel of that text, which is appended to the source when it is new. */
static uint32_t kernel_add(hy_kernels__lower *lower, const char *name, hy_kernels__text *text)
{
	hy_kernels_program *program = lower->program;
	if (text->failed) lower->failed = true;
	if (lower->failed) return 0;
	for (uint32_t i = 0; i < program->kernel_count; i++)
		if (strcmp(lower->kernels[i].text.data, text->data) == 0) {
			hy_kernels__text_finish(text);
			return i;
		}
	if (!hy_kernels__grow(lower, (void **)&program->kernel_names, program->kernel_count, &lower->name_room,
	                      sizeof(*program->kernel_names)))
		return 0;
	if (!hy_kernels__grow(lower, (void **)&lower->kernels, program->kernel_count, &lower->kernel_room,
	                      sizeof(*lower->kernels)))
		return 0;
	const uint32_t number = program->kernel_count++;
	snprintf(program->kernel_names[number], sizeof(*program->kernel_names), "%.28s_%u", name, number);
	lower->kernels[number].text = *text;
	hy_kernels__text_add(&lower->source, "#define NAME %s\n", program->kernel_names[number]);
	hy_kernels__text_append(&lower->source, text->data, text->length);
	hy_kernels__text_add(&lower->source, "#undef NAME\n");
	*text = (hy_kernels__text){0};
	return number;
}

/* "#undef X" for each line "#define X ...". */
static void undefine(hy_kernels__text *text, const char *defines)
{
	static const char word[] = "#define ";
	for (const char *at = defines; at != NULL && *at != '\0';) {
		if (strncmp(at, word, sizeof(word) - 1) == 0) {
			const char *name = at + sizeof(word) - 1;
			hy_kernels__text_add(text, "#undef %.*s\n", (int)strcspn(name, " (\n"), name);
		}
		at = strchr(at, '\n');
		if (at != NULL) at++;
	}
}

uint32_t hy_kernels__kernel(hy_kernels__lower *lower, const char *name, hy_kernels__text *defines,
                            hy_kernels__text *functions)
{
	hy_kernels__text text = {0};
	if (defines->failed || (functions != NULL && functions->failed)) lower->failed = true;
	if (defines->data != NULL) hy_kernels__text_append(&text, defines->data, defines->length);
	if (functions != NULL && functions->data != NULL)
		hy_kernels__text_append(&text, functions->data, functions->length);
	const char *body = template_text(name);
	if (body == NULL) {
		lower->failed = true;
	} else {
		hy_kernels__text_append(&text, body, strlen(body));
	}
	undefine(&text, defines->data);
	if (functions != NULL) undefine(&text, functions->data);
	hy_kernels__text_finish(defines);
	if (functions != NULL) hy_kernels__text_finish(functions);
	const uint32_t kernel = kernel_add(lower, name, &text);
	hy_kernels__text_finish(&text);
	return kernel;
}

uint32_t hy_kernels__kernel_text(hy_kernels__lower *lower, const char *name, hy_kernels__text *text)
{
	const uint32_t kernel = kernel_add(lower, name, text);
	hy_kernels__text_finish(text);
	return kernel;
}

void hy_kernels__launch(hy_kernels__lower *lower, uint32_t kernel, uint32_t row, uint64_t x, uint64_t y, uint64_t z,
                        uint32_t local_size)
{
	hy_kernels_program *program = lower->program;
	if (!hy_kernels__grow(lower, (void **)&program->launches, program->launch_count, &lower->launch_room,
	                      sizeof(*program->launches)))
		return;
	const uint32_t local = local_size == 0 ? 1 : local_size;
	program->launches[program->launch_count++] = (hy_kernels_launch){
		.kernel = kernel,
		.node = row,
		.global = {(x + local - 1) / local * local, y, z},
		.local = {local, 1, 1},
		.first_arg = program->arg_count,
	};
}

static void push(hy_kernels__lower *lower, hy_kernels_arg arg)
{
	hy_kernels_program *program = lower->program;
	if (program->launch_count == 0 || lower->failed) return;
	if (!hy_kernels__grow(lower, (void **)&program->args, program->arg_count, &lower->arg_room,
	                      sizeof(*program->args)))
		return;
	program->args[program->arg_count++] = arg;
	program->launches[program->launch_count - 1].arg_count++;
}

void hy_kernels__pass(hy_kernels__lower *lower, hy_kernels__place place)
{
	if (lower->failed || place.storage >= lower->storage_count) return;
	hy_kernels__storage *storage = &lower->storages[place.storage];
	const uint32_t launch = lower->program->launch_count - 1;
	if (launch < storage->first) storage->first = launch;
	storage->last = launch;
	/* the arena's offset is added when it is known */
	push(lower, (hy_kernels_arg){.kind = storage->kind, .index = place.storage, .offset = place.offset});
}

void hy_kernels__pass_int(hy_kernels__lower *lower, int64_t value)
{
	push(lower, (hy_kernels_arg){.kind = HY_KERNELS_INT, .value = (int32_t)value});
}
