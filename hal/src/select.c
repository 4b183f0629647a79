/* Selectors: which devices of a machine, with which options. */
#include "machine.h"
#include "text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPTIONS 32u

/* The memory of a selection: the items, each item's options, and the selector's text, which the options point into. */
typedef struct storage {
	char *text;
	uint32_t item_count;
	hy_hal_selected *items;
	hy_option **options; /* one array per written term */
	uint32_t option_array_count;
} storage;

static void storage_destroy(storage *s)
{
	if (s == NULL) return;
	for (uint32_t i = 0; i < s->option_array_count; i++)
		free(s->options[i]);
	free(s->options);
	free(s->items);
	free(s->text);
	free(s);
}

static bool is_default(const hy_hal__machine_device *device)
{
	return (device->info.info.flags & HY_DEVICE_SIMULATED) == 0 && device->info.same_as == NULL &&
	       device->plugin->plugin->has_programs && device->plugin->manifest.priority >= 0;
}

/* How a name fits a device: not at all, as one of a group, or by its own name. */
typedef enum fit { FIT_NONE, FIT_GROUP, FIT_NAME } fit;

static fit fits(const char *name, const hy_hal__machine_device *device)
{
	const size_t length = strlen(name);
	if (strcmp(name, device->id) == 0 || strcmp(name, device->uri) == 0) return FIT_NAME;
	if (strcmp(name, "*") == 0) return FIT_GROUP;
	if (length < 3 || strcmp(name + length - 2, ":*") != 0) return FIT_NONE;
	return strncmp(name, device->plugin->name, length - 2) == 0 && device->plugin->name[length - 2] == '\0'
	               ? FIT_GROUP
	               : FIT_NONE;
}

/* Undoes %41 in place. False for a % that two hexadecimal digits do not follow. */
static bool decode(char *text)
{
	char *to = text;
	for (const char *from = text; *from != '\0'; from++) {
		if (*from != '%') {
			*to++ = *from;
			continue;
		}
		if (!isxdigit((unsigned char)from[1]) || !isxdigit((unsigned char)from[2])) return false;
		const char digits[3] = {from[1], from[2], '\0'};
		*to = (char)strtol(digits, NULL, 16);
		if (*to++ == '\0') return false;
		from += 2;
	}
	*to = '\0';
	return true;
}

/* "a=1&b=2" into options that point into text. */
static hy_status parse_options(storage *s, char *text, hy_hal_selected *item, hy_error *error)
{
	hy_option *options = calloc(OPTIONS, sizeof(*options));
	hy_option **arrays = realloc(s->options, (s->option_array_count + 1) * sizeof(*arrays));
	if (arrays != NULL) s->options = arrays;
	if (options == NULL || arrays == NULL) {
		free(options);
		return hy_error_set(error, HY_NO_MEMORY, "host memory exhausted");
	}
	arrays[s->option_array_count++] = options;
	uint32_t count = 0;
	char *rest = NULL;
	for (char *pair = strtok_r(text, "&", &rest); pair != NULL; pair = strtok_r(NULL, "&", &rest)) {
		char *value = strchr(pair, '=');
		if (value == NULL || value == pair)
			return hy_error_set(error, HY_INVALID, "device option '%.60s': write key=value", pair);
		if (count == OPTIONS)
			return hy_error_set(error, HY_INVALID, "more than %u options for one device", OPTIONS);
		*value++ = '\0';
		if (!decode(pair) || !decode(value))
			return hy_error_set(error, HY_INVALID, "device option '%.60s': %% needs two hex digits", pair);
		for (uint32_t i = 0; i < count; i++)
			if (strcmp(options[i].key, pair) == 0)
				return hy_error_set(error, HY_INVALID, "device option '%.60s' appears twice", pair);
		options[count++] = (hy_option){pair, value};
	}
	item->options = options;
	item->option_count = count;
	return HY_OK;
}

static const char *option_value(const hy_hal_selected *item, const char *key)
{
	for (uint32_t i = 0; i < item->option_count; i++)
		if (strcmp(item->options[i].key, key) == 0) return item->options[i].value;
	return NULL;
}

static bool is_other_cores(const hy_hal_selected *a, const hy_hal_selected *b)
{
	const char *cores_a = option_value(a, "cores"), *cores_b = option_value(b, "cores");
	return cores_a != NULL && cores_b != NULL && strcmp(cores_a, cores_b) != 0;
}

/* A device that was named must not be there yet; one of a group is passed over when it is. */
static hy_status add_item(const hy_hal_machine *machine, storage *s, const hy_hal_selected *item, fit how,
                          hy_error *error)
{
	for (uint32_t i = 0; i < s->item_count; i++) {
		if (s->items[i].device != item->device) continue;
		if (how == FIT_GROUP) return HY_OK;
		if (!is_other_cores(&s->items[i], item))
			return hy_error_set(error, HY_INVALID,
			                    "device %s is selected twice: drop one, or give each its cores",
			                    machine->devices[item->device].id);
	}
	hy_hal_selected *items = realloc(s->items, (s->item_count + 1) * sizeof(*items));
	if (items == NULL) return hy_error_set(error, HY_NO_MEMORY, "host memory exhausted");
	s->items = items;
	items[s->item_count++] = *item;
	return HY_OK;
}

static hy_status not_found(const hy_hal_machine *machine, const char *name, hy_error *error)
{
	char known[256] = "";
	size_t used = 0;
	for (uint32_t i = 0; i < machine->device_count && used + 100 < sizeof(known); i++)
		used += (size_t)snprintf(known + used, sizeof(known) - used, "%s%s", i > 0 ? ", " : "",
		                         machine->devices[i].id);
	return hy_error_set(error, HY_NOT_FOUND, "no device '%.80s': this machine has %s", name,
	                    used > 0 ? known : "none");
}

static hy_status add_term(const hy_hal_machine *machine, storage *s, char *term, hy_error *error)
{
	hy_hal_selected item = {0};
	char *query = strchr(term, '?');
	if (query != NULL) {
		*query++ = '\0';
		const hy_status status = parse_options(s, query, &item, error);
		if (status != HY_OK) return status;
	}
	bool any = false;
	for (uint32_t i = 0; i < machine->device_count; i++) {
		const fit how = fits(term, &machine->devices[i]);
		if (how == FIT_NONE) continue;
		any = true;
		item.device = i;
		const hy_status status = add_item(machine, s, &item, how, error);
		if (status != HY_OK) return status;
	}
	return any || strcmp(term, "*") == 0 ? HY_OK : not_found(machine, term, error);
}

static hy_status remove_term(const hy_hal_machine *machine, storage *s, const char *name, hy_error *error)
{
	bool any = false;
	for (uint32_t i = 0; i < machine->device_count; i++)
		if (fits(name, &machine->devices[i]) != FIT_NONE) any = true;
	if (!any) return not_found(machine, name, error);
	uint32_t kept = 0;
	for (uint32_t i = 0; i < s->item_count; i++)
		if (fits(name, &machine->devices[s->items[i].device]) == FIT_NONE) s->items[kept++] = s->items[i];
	s->item_count = kept;
	return HY_OK;
}

static hy_status add_defaults(const hy_hal_machine *machine, storage *s, hy_error *error)
{
	hy_status status = HY_OK;
	for (uint32_t i = 0; i < machine->device_count && status == HY_OK; i++)
		if (is_default(&machine->devices[i]))
			status = add_item(machine, s, &(hy_hal_selected){.device = i}, FIT_GROUP, error);
	return status;
}

/* Terms without '!' first, whatever their order, then those with. Only '!' terms take away from the defaults. */
static hy_status parse(const hy_hal_machine *machine, storage *s, const char *selector, hy_error *error)
{
	bool any = false;
	hy_status status = HY_OK;
	s->text = strdup(selector);
	char *removals = strdup(selector);
	if (s->text == NULL || removals == NULL) status = hy_error_set(error, HY_NO_MEMORY, "host memory exhausted");
	char *rest = NULL;
	for (char *term = status == HY_OK ? strtok_r(s->text, ",", &rest) : NULL; term != NULL && status == HY_OK;
	     term = strtok_r(NULL, ",", &rest)) {
		if (term[0] == '!') continue;
		any = true;
		status = add_term(machine, s, term, error);
	}
	if (!any && status == HY_OK) status = add_defaults(machine, s, error);
	for (char *term = status == HY_OK ? strtok_r(removals, ",", &rest) : NULL; term != NULL && status == HY_OK;
	     term = strtok_r(NULL, ",", &rest))
		if (term[0] == '!') status = remove_term(machine, s, term + 1, error);
	free(removals);
	return status;
}

hy_status hy_hal_machine_select(const hy_hal_machine *machine, const char *selector, hy_hal_selection *out_selection,
                                hy_error *error)
{
	storage *s = calloc(1, sizeof(*s));
	if (s == NULL) return hy_error_set(error, HY_NO_MEMORY, "host memory exhausted");
	const hy_status status = parse(machine, s, selector != NULL ? selector : "", error);
	if (status != HY_OK) {
		storage_destroy(s);
		return status;
	}
	*out_selection = (hy_hal_selection){s->item_count, s->items, s};
	return HY_OK;
}

void hy_hal_selection_finish(hy_hal_selection *selection)
{
	if (selection == NULL) return;
	storage_destroy(selection->storage);
	*selection = (hy_hal_selection){0};
}
