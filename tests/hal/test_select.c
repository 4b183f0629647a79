#include "test.h"

#include "fake.h"

#include <stdlib.h>

static hy_hal_machine *machine;

static int open_machine(void **state)
{
	(void)state;
	machine = fake_machine("good,new-minor,old-minor", NULL, NULL);
	return hy_hal_machine_device_count(machine) == 6 ? 0 : -1;
}

static int close_machine(void **state)
{
	(void)state;
	hy_hal_machine_close(machine);
	return 0;
}

/* What a selector gives as "id?key=value&key=value id ...", or the error's text. */
static const char *chosen(const char *selector)
{
	static char text[1024];
	hy_hal_selection selection;
	hy_error error;
	if (hy_hal_machine_select(machine, selector, &selection, &error) != HY_OK) {
		snprintf(text, sizeof(text), "%s %s", hy_status_name(error.status), error.text);
		return text;
	}
	size_t used = 0;
	text[0] = '\0';
	for (uint32_t i = 0; i < selection.count; i++) {
		const hy_hal_selected *item = &selection.items[i];
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", i > 0 ? " " : "",
		                         hy_hal_machine_device(machine, item->device)->id);
		for (uint32_t k = 0; k < item->option_count; k++)
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%c%s=%s", k > 0 ? '&' : '?',
			                         item->options[k].key, item->options[k].value);
	}
	hy_hal_selection_finish(&selection);
	return text;
}

static const struct {
	const char *selector, *gives;
} rows[] = {
	/* new-minor and old-minor are other doors to good's chips; old-minor has no programs */
	{NULL, "good:0 good:1"},
	{"", "good:0 good:1"},
	{"*", "good:0 good:1 new-minor:0 new-minor:1 old-minor:0 old-minor:1"},
	{"old-minor:1", "old-minor:1"},
	{"good://chip-1", "good:1"},
	{"new-minor:*,good:1", "new-minor:0 new-minor:1 good:1"},
	{"good:1,good:*", "good:1 good:0"},
	{"!good:0", "good:1"},
	{"*,!good:*,!new-minor://chip-1", "new-minor:0 old-minor:0 old-minor:1"},
	{"!old-minor:0,*,!good:*", "new-minor:0 new-minor:1 old-minor:1"},
	{"good:0?cores=0-3&x=y", "good:0?cores=0-3&x=y"},
	{"good:0?cores=0%2C2&name=a%26b", "good:0?cores=0,2&name=a&b"},
	{"good:0?cores=0,good:0?cores=1", "good:0?cores=0 good:0?cores=1"},
	{"good:*?x=1", "good:0?x=1 good:1?x=1"},
	{"good:0,good:0", "INVALID device good:0 is selected twice: drop one, or give each its cores"},
	{"good:0,good://chip-0", "INVALID device good:0 is selected twice: drop one, or give each its cores"},
	{"good:0?cores=0,good:0?cores=0", "INVALID device good:0 is selected twice: drop one, or give each its cores"},
	{"good:7", "NOT_FOUND no device 'good:7': this machine has good:0, good:1, new-minor:0, new-minor:1, "
                   "old-minor:0, old-minor:1"},
	{"!cuda:0", "NOT_FOUND no device 'cuda:0': this machine has good:0, good:1, new-minor:0, new-minor:1, "
                    "old-minor:0, old-minor:1"},
	{"goo:*", "NOT_FOUND no device 'goo:*': this machine has good:0, good:1, new-minor:0, new-minor:1, "
                  "old-minor:0, old-minor:1"},
	{"good:0?x", "INVALID device option 'x': write key=value"},
	{"good:0?=1", "INVALID device option '=1': write key=value"},
	{"good:0?x=1&x=2", "INVALID device option 'x' appears twice"},
	{"good:0?x=%4", "INVALID device option 'x': % needs two hex digits"},
	{"good:0?x=%00", "INVALID device option 'x': % needs two hex digits"},
};

static void a_selector_gives_the_devices_it_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *gives = chosen(rows[i].selector);
		if (strcmp(gives, rows[i].gives) != 0) fail_msg("'%s' gives '%s'", rows[i].selector, gives);
	}
}

static void no_selector_of_random_letters_is_a_crash(void **state)
{
	(void)state;
	static const char letters[] = "go:*?,!=&%01chip-/d";
	uint32_t seed = 1;
	for (int i = 0; i < 20000; i++) {
		char selector[24] = "";
		for (int k = 0; k < 20; k++) {
			seed = seed * 1664525u + 1013904223u;
			selector[k] = letters[(seed >> 16) % sizeof(letters)];
		}
		assert_non_null(chosen(selector));
	}
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(a_selector_gives_the_devices_it_says),
		CASE(no_selector_of_random_letters_is_a_crash),
	};
	return cmocka_run_group_tests_name("hal.select", cases, open_machine, close_machine);
}
