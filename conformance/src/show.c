/* What a run says on a terminal. */
#include "show.h"

#include "verdict.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { LINES = 25 };

/* A plugin's text may hold what a terminal obeys: control characters become '?', lines end where they end. */
static void put_plain(FILE *file, const char *text, size_t most, const char *line_begin)
{
	for (; *text != '\0' && most > 0; text++, most--) {
		const unsigned char c = (unsigned char)*text;
		if (c == '\n' && line_begin != NULL)
			fprintf(file, "\n%s", line_begin);
		else
			fputc(c < 0x20 || c == 0x7f ? '?' : c, file);
	}
}

static show_group *group_of(show *self, const char *name)
{
	for (uint32_t i = 0; i < self->group_count; i++)
		if (strcmp(self->groups[i].name, name) == 0) return &self->groups[i];
	if (self->group_count == SHOW_GROUPS) return &self->groups[SHOW_GROUPS - 1];
	self->groups[self->group_count] = (show_group){.name = name};
	return &self->groups[self->group_count++];
}

void conform__show_result(void *payload, const hy_conform_result *result)
{
	show *self = payload;
	const bool fine = conform__verdict_holds(result->status);
	show_group *group = group_of(self, result->info->group);
	group->total++;
	group->count[result->status]++;
	self->ended++;
	if (!fine && result->status != HY_CONFORM_NOT_RUN && self->failure_count++ < SHOW_FAILURES)
		snprintf(self->failures[self->failure_count - 1], sizeof(self->failures[0]), "%s %s (%s): %s",
		         hy_conform_status_name(result->status), result->info->id, result->info->rule, result->text);
	if (self->progress) fprintf(stderr, "\r\033[K%u cases, %u do not hold", self->ended, self->failure_count);
	if (self->verbose < (fine ? 2u : 1u)) return;
	if (self->progress) fprintf(stderr, "\r\033[K");
	printf("%-13s %s (%s, %.0f ms)%s", hy_conform_status_name(result->status), result->info->id, result->info->rule,
	       (double)result->time_ns / 1e6, result->text[0] != '\0' ? ": " : "");
	put_plain(stdout, result->text, SIZE_MAX, "    ");
	if (!fine && result->output[0] != '\0') {
		printf("\n    it printed: ");
		put_plain(stdout, result->output, 2000, "    ");
	}
	putchar('\n');
	fflush(stdout);
}

static size_t width(void)
{
	struct winsize size;
	if (!isatty(STDOUT_FILENO)) return 160;
	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 40 ? size.ws_col : 100;
}

/* Groups in which all passed share a line; the others have one each. Returns the lines printed. */
static uint32_t print_groups(const show *self)
{
	uint32_t lines = 0, passed = 0;
	for (uint32_t i = 0; i < self->group_count; i++) {
		const show_group *g = &self->groups[i];
		if (g->count[HY_CONFORM_PASS] == g->total) {
			passed++;
			continue;
		}
		printf("  %-12s %4u of %u pass", g->name, g->count[HY_CONFORM_PASS], g->total);
		for (int status = 1; status < HY_CONFORM_STATUS_COUNT; status++)
			if (g->count[status] > 0)
				printf(", %u %s", g->count[status], hy_conform_status_name((hy_conform_status)status));
		putchar('\n');
		lines++;
	}
	if (passed == 0) return lines;
	printf("  all pass:");
	for (uint32_t i = 0; i < self->group_count; i++)
		if (self->groups[i].count[HY_CONFORM_PASS] == self->groups[i].total)
			printf(" %s %u", self->groups[i].name, self->groups[i].total);
	putchar('\n');
	return lines + 1;
}

static void print_failures(const show *self, const hy_conform_options *options, uint32_t room)
{
	const size_t columns = width();
	const uint32_t kept = self->failure_count < SHOW_FAILURES ? self->failure_count : SHOW_FAILURES;
	const uint32_t shown = kept < room ? kept : room;
	for (uint32_t i = 0; i < shown; i++) {
		/* A few are shown in full; more of them a line each. */
		put_plain(stdout, self->failures[i], self->failure_count <= 3 ? SIZE_MAX : columns - 1, NULL);
		putchar('\n');
	}
	if (shown < self->failure_count)
		printf("... and %u more: %s\n", self->failure_count - shown,
		       options->out != NULL ? "see the report" : "-v prints them, --out DIR writes a report");
}

void conform__show_summary(const show *self, const hy_conform_options *options, const hy_conform_summary *summary)
{
	if (self->progress) fprintf(stderr, "\r\033[K");
	const uint32_t lines = print_groups(self);
	if (self->verbose == 0) print_failures(self, options, LINES - 5 > lines ? LINES - 5 - lines : 1);
	put_plain(stdout, summary->text, SIZE_MAX, NULL);
	printf("\nsuite %s, list %016llx, seed %llu, %.1f s\n", HY_CONFORM_SUITE_VERSION,
	       (unsigned long long)hy_conform_list_hash(), (unsigned long long)options->seed,
	       (double)summary->time_ns / 1e9);
}
