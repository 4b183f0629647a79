/* Group operator: each line of operators.def is a case. */
#include "recipe.h"

#include <stdio.h>
#include <string.h>

/* The type of the first input that is there, by the line's text; f32 for operators without inputs. */
static const char *dtype_of(const recipe *row)
{
	char name[8] = "";
	sscanf(row->inputs + strspn(row->inputs, "- "), "%7[a-z0-9]", name);
	const hy_dtype dtype = hy_dtype_from_name(name);
	return hy_dtype_name(dtype == HY_DTYPE_NONE ? HY_DTYPE_F32 : dtype);
}

void conform__check_operator_list(conform_list *list)
{
	static const struct {
		const char *name, *since;
		recipe row;
		int level;
	} rows[] = {
#define CASE(required, operator, id, in, attributes, kind, bound) \
	{.name = #operator"." #id,                                \
	 .since = SINCE,                                          \
	 .row = {.anchor = #operator,                             \
	         .inputs = in,                                    \
	         .attrs = attributes,                             \
	         .data = kind,                                    \
	         .tolerance = TOLERANCE_##bound},                 \
	 .level = required},
#include "operators.def"
#undef CASE
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const conform_case like = {.info = {.group = "operator",
		                                    .rule = "P14",
		                                    .since = rows[i].since,
		                                    .level = (hy_conform_level)rows[i].level,
		                                    .op = rows[i].row.anchor,
		                                    .dtype = dtype_of(&rows[i].row)},
		                           .seconds = 60,
		                           .check = conform__recipe_check,
		                           .param = &rows[i].row};
		const char *suffix = strstr(rows[i].row.attrs, "approximate=tanh") != NULL ? "_by_tanh" : "";
		conform__list_add(list, &like, "operator.%s%s", rows[i].name, suffix);
	}
}
