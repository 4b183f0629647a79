/* Group abi: loading, struct growth, and what a plugin may not do to its process. */
#include "target.h"
#include "process.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <fenv.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* ---- loading ---- */

static void loads(conform_run *run, const conform_case *self)
{
	(void)self;
	conform__target_open(run);
}

/* Counts defined global symbols in .dynsym by the section headers; -1 when the file is no 64-bit ELF. */
static int exported_symbols(const char *path, char *out_other, size_t length)
{
	const int file = open(path, O_RDONLY | O_CLOEXEC);
	struct stat facts;
	if (file < 0 || fstat(file, &facts) != 0 || facts.st_size < (off_t)sizeof(Elf64_Ehdr)) return -1;
	const size_t size = (size_t)facts.st_size;
	const char *base = mmap(NULL, size, PROT_READ, MAP_PRIVATE, file, 0);
	close(file);
	if (base == MAP_FAILED) return -1;
	const Elf64_Ehdr *head = (const void *)base;
	int count = -1;
	if (memcmp(head->e_ident, ELFMAG, SELFMAG) == 0 && head->e_ident[EI_CLASS] == ELFCLASS64 &&
	    head->e_shoff <= size && (size - head->e_shoff) / sizeof(Elf64_Shdr) >= head->e_shnum) {
		const Elf64_Shdr *sections = (const void *)(base + head->e_shoff);
		for (uint32_t i = 0; i < head->e_shnum; i++) {
			const Elf64_Shdr *s = &sections[i];
			if (s->sh_type != SHT_DYNSYM || s->sh_link >= head->e_shnum) continue;
			const Elf64_Shdr *names = &sections[s->sh_link];
			if (s->sh_offset + s->sh_size > size || names->sh_offset + names->sh_size > size) break;
			count = 0;
			const Elf64_Sym *symbols = (const void *)(base + s->sh_offset);
			for (uint64_t k = 1; k < s->sh_size / sizeof(Elf64_Sym); k++) {
				if (symbols[k].st_shndx == SHN_UNDEF || symbols[k].st_name >= names->sh_size) continue;
				if (ELF64_ST_BIND(symbols[k].st_info) == STB_LOCAL) continue;
				const char *name = base + names->sh_offset + symbols[k].st_name;
				if (strcmp(name, HY_PLUGIN_ENTRY) == 0) continue;
				count++;
				snprintf(out_other, length, "%s", name);
			}
		}
	}
	munmap((void *)(uintptr_t)base, size);
	return count;
}

static void exports_one_symbol(conform_run *run, const conform_case *self)
{
	(void)self;
	char other[128] = "";
	const int count = exported_symbols(run->plugin_path, other, sizeof(other));
	REQUIRE(run, count >= 0, "the file is not a 64-bit ELF shared object");
	REQUIRE(run, count == 0, "%d symbols beside %s are exported, for example %s; use a version script", count,
	        HY_PLUGIN_ENTRY, other);
}

static void names_itself(conform_run *run, const conform_case *self)
{
	(void)self;
	if (!conform__target_open(run)) return;
	conform__host_init(&run->host);
	const hy_status status = conform__target_enter(run, &run->host, &run->table, sizeof(hy_host),
	                                               sizeof(hy_plugin));
	REQUIRE(run, status == HY_OK, "the entry answered %s", hy_status_name(status));
	REQUIRE(run, run->table.name != NULL && run->table.name[0] != '\0', "the table has no name");
	REQUIRE(run, run->table.version != NULL && run->table.version[0] != '\0', "the table has no version");
	REQUIRE(run, strspn(run->table.name, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(run->table.name),
	        "the name '%s' has other characters than a-z, 0-9 and -", run->table.name);
	REQUIRE(run, run->table.abi_minor <= HY_ABI_MINOR, "abi_minor %u is newer than the host's",
	        run->table.abi_minor);
}

/* ---- struct growth: the host is older, newer, or as old as the plugin ---- */

static void table_of_size(conform_run *run, const conform_case *self)
{
	enum { ROOM = 4096 };
	static _Alignas(16) uint8_t memory[ROOM];
	const uint32_t size = (uint32_t)self->number;
	if (!conform__target_open(run)) return;
	conform__host_init(&run->host);
	memset(memory, CONFORM_POISON, ROOM);
	hy_plugin *table = (void *)memory;
	const hy_status status = conform__target_enter(run, &run->host, table, sizeof(hy_host), size);
	for (uint32_t i = size; i < ROOM; i++)
		REQUIRE(run, memory[i] == CONFORM_POISON, "the entry wrote byte %u of a table of %u bytes", i, size);
	if (status == HY_INCOMPATIBLE && size < sizeof(hy_plugin)) return; /* a legal answer to an old host */
	REQUIRE(run, status == HY_OK, "the entry answered %s to a table of %u bytes", hy_status_name(status), size);
	REQUIRE(run, table->size <= size, "the entry says that it filled %u bytes of %u", table->size, size);
	REQUIRE(run, table->size >= 8, "the entry says that it filled %u bytes", table->size);
	if (size <= sizeof(hy_plugin)) return;
	REQUIRE(run, table->size <= sizeof(hy_plugin) || table->abi_minor > HY_ABI_MINOR,
	        "the entry filled %u bytes, more than minor %u has", table->size, table->abi_minor);
}

static void info_of_size(conform_run *run, const conform_case *self)
{
	uint8_t memory[sizeof(hy_device_info) + 256];
	const uint32_t size = (uint32_t)self->number;
	if (!conform__target_ready(run)) return;
	memset(memory, CONFORM_POISON, sizeof(memory));
	memcpy(memory, &size, sizeof(size));
	const hy_status status = run->table.device_info(run->table.ctx, run->device_index,
	                                                (hy_device_info *)(void *)memory);
	uint32_t filled;
	memcpy(&filled, memory, sizeof(filled));
	for (uint32_t i = size; i < sizeof(memory); i++)
		REQUIRE(run, memory[i] == CONFORM_POISON, "device_info wrote byte %u of a struct of %u bytes", i, size);
	REQUIRE(run, status == HY_OK, "device_info answered %s to a struct of %u bytes", hy_status_name(status), size);
	REQUIRE(run, filled <= size, "device_info says that it filled %u bytes of %u", filled, size);
}

static void heap_info_of_size(conform_run *run, const conform_case *self)
{
	uint8_t memory[sizeof(hy_heap_info) + 256];
	const uint32_t size = (uint32_t)self->number;
	if (!conform__target_ready(run)) return;
	if (!conform__has(run, run->table.heap_info != NULL, "heap_info")) return;
	memset(memory, CONFORM_POISON, sizeof(memory));
	memcpy(memory, &size, sizeof(size));
	const hy_status status = run->table.heap_info(run->device, 0, (hy_heap_info *)(void *)memory);
	for (uint32_t i = size; i < sizeof(memory); i++)
		REQUIRE(run, memory[i] == CONFORM_POISON, "heap_info wrote byte %u of a struct of %u bytes", i, size);
	REQUIRE(run, status == HY_OK, "heap_info answered %s to a struct of %u bytes", hy_status_name(status), size);
}

static void host_of_size(conform_run *run, const conform_case *self)
{
	/* Behind the host lies a page that can't be read. */
	const uint32_t size = (uint32_t)self->number;
	if (!conform__target_open(run)) return;
	conform__host_init(&run->host);
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint8_t *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	REQUIRE(run, pages != MAP_FAILED, "mmap failed");
	mprotect(pages + page, page, PROT_NONE);
	hy_host *host = (void *)(pages + page - size);
	memset(host, CONFORM_POISON, size);
	memcpy(host, &run->host.host, size < sizeof(hy_host) ? size : sizeof(hy_host));
	host->size = size;
	run->table = (hy_plugin){.size = sizeof(hy_plugin), .abi_minor = HY_ABI_MINOR};
	const hy_status status = run->entry(host, &run->table);
	if (status == HY_INCOMPATIBLE && size < sizeof(hy_host)) return; /* a legal answer to an old host */
	REQUIRE(run, status == HY_OK, "the entry answered %s to a host of %u bytes", hy_status_name(status), size);
	uint32_t count = 0;
	const hy_status counted = run->table.device_count(run->table.ctx, &count);
	REQUIRE(run, counted == HY_OK && count > 0, "with such a host, device_count answered %s and %u",
	        hy_status_name(counted), count);
	if (run->table.shutdown != NULL) run->table.shutdown(run->table.ctx);
	munmap(pages, 2 * page);
}

/* The check of one size for forty of them, none a size that a struct has had. */
static void fuzzed_sizes(conform_run *run, const conform_case *self)
{
	void (*check)(conform_run *, const conform_case *) = self->param == NULL           ? table_of_size
	                                                     : strcmp(self->param, "heap") ? info_of_size
	                                                                                   : heap_info_of_size;
	for (int i = 0; i < 40 && !conform__ended(run); i++) {
		conform_case one = *self;
		one.number = conform__random_between(run, 8, self->number);
		check(run, &one);
	}
}

static void two_hosts_live_side_by_side(conform_run *run, const conform_case *self)
{
	(void)self;
	if (!conform__target_ready(run)) return;
	static conform_host other;
	hy_plugin second;
	conform__host_init(&other);
	const hy_status status = conform__target_enter(run, &other, &second, sizeof(hy_host), sizeof(hy_plugin));
	REQUIRE(run, status == HY_OK, "a second entry answered %s", hy_status_name(status));
	uint32_t count = 0;
	REQUIRE(run, second.device_count(second.ctx, &count) == HY_OK && count > run->device_index,
	        "through the second table there is no device %u", run->device_index);
	count = 0;
	REQUIRE(run, run->table.device_count(run->table.ctx, &count) == HY_OK && count > run->device_index,
	        "after a second entry the first table has no device %u", run->device_index);
	if (second.shutdown != NULL) second.shutdown(second.ctx);
	hy_queue *queue = conform__queue_open(run);
	CONTINUE(run);
	conform_memory memory;
	if (!conform__memory_create(run, queue, 64, 0, &memory)) return;
	uint8_t bytes[64];
	conform__memory_read(run, queue, &memory, bytes);
}

static void loads_a_hundred_times(conform_run *run, const conform_case *self)
{
	(void)self;
	for (int i = 0; i < 100; i++) {
		if (!conform__target_open(run)) return;
		conform__host_init(&run->host);
		const hy_status status = conform__target_enter(run, &run->host, &run->table, sizeof(hy_host),
		                                               sizeof(hy_plugin));
		REQUIRE(run, status == HY_OK, "load %d: the entry answered %s", i, hy_status_name(status));
		const uint32_t flags = run->table.flags;
		if (run->table.shutdown != NULL) run->table.shutdown(run->table.ctx);
		if (flags & HY_PLUGIN_UNLOADABLE) dlclose(run->library);
		run->library = NULL;
	}
}

/* ---- what a plugin may not do to its process (P7) ---- */

typedef struct process_facts {
	uint32_t descriptors, threads;
	struct sigaction actions[32];
	sigset_t mask;
	int rounding;
	char locale[64];
	char folder[1024];
	mode_t file_mask;
	uint64_t environment;
} process_facts;

extern char **environ;

static process_facts facts_now(void)
{
	process_facts f = {.descriptors = conform__process_descriptors(),
	                   .threads = conform__process_threads(),
	                   .rounding = fegetround()};
	for (int i = 1; i < 32; i++)
		sigaction(i, NULL, &f.actions[i]);
	sigprocmask(SIG_BLOCK, NULL, &f.mask);
	snprintf(f.locale, sizeof(f.locale), "%s", setlocale(LC_ALL, NULL));
	if (getcwd(f.folder, sizeof(f.folder)) == NULL) f.folder[0] = '\0';
	f.file_mask = umask(0);
	umask(f.file_mask);
	for (char **item = environ; *item != NULL; item++)
		for (const char *at = *item; *at != '\0'; at++)
			f.environment = (f.environment ^ (unsigned char)*at) * 0x100000001b3u;
	return f;
}

/* 0: enumerate; 1: open and copy; 2: open, copy and close; then shut down where the fact needs it. */
static bool work(conform_run *run, int64_t much)
{
	if (!conform__target_ready(run)) return false;
	if (much == 0) return true;
	hy_queue *queue = conform__queue_open(run);
	conform_memory memory;
	uint8_t bytes[256];
	if (queue == NULL || !conform__memory_create(run, queue, sizeof(bytes), 0, &memory) ||
	    !conform__memory_read(run, queue, &memory, bytes))
		return false;
	if (much < 2) return true;
	conform__memory_destroy(run, &memory);
	run->table.queue_close(queue);
	conform__target_close(run);
	return true;
}

static void keeps_signal_handlers(conform_run *run, const conform_case *self)
{
	const process_facts before = facts_now();
	if (!work(run, self->number)) return;
	const process_facts after = facts_now();
	for (int i = 1; i < 32; i++)
		REQUIRE(run, before.actions[i].sa_handler == after.actions[i].sa_handler,
		        "the handler of signal %d (%s) was changed", i, strsignal(i));
	REQUIRE(run, memcmp(&before.mask, &after.mask, sizeof(before.mask)) == 0, "the signal mask was changed");
}

static void keeps_rounding_mode(conform_run *run, const conform_case *self)
{
	const process_facts before = facts_now();
	if (!work(run, self->number)) return;
	REQUIRE(run, before.rounding == fegetround(), "the floating-point rounding mode was changed");
}

static void keeps_locale(conform_run *run, const conform_case *self)
{
	const process_facts before = facts_now();
	if (!work(run, self->number)) return;
	REQUIRE(run, strcmp(before.locale, setlocale(LC_ALL, NULL)) == 0, "the locale was changed to %s",
	        setlocale(LC_ALL, NULL));
}

static void keeps_folder_and_mask(conform_run *run, const conform_case *self)
{
	const process_facts before = facts_now();
	if (!work(run, self->number)) return;
	const process_facts after = facts_now();
	REQUIRE(run, strcmp(before.folder, after.folder) == 0, "the working folder was changed to %s", after.folder);
	REQUIRE(run, before.file_mask == after.file_mask, "the file mask was changed to %03o", after.file_mask);
}

static void keeps_environment(conform_run *run, const conform_case *self)
{
	const process_facts before = facts_now();
	if (!work(run, self->number)) return;
	REQUIRE(run, before.environment == facts_now().environment, "environment variables were changed");
}

/* What a first use leaves behind (loaded libraries, worker pools of a driver) is its own affair; a second must not add. */
static void gives_descriptors_back(conform_run *run, const conform_case *self)
{
	(void)self;
	if (!work(run, 2)) return;
	const uint32_t before = facts_now().descriptors;
	for (int i = 0; i < 4; i++)
		if (!work(run, 2)) return;
	const uint32_t after = facts_now().descriptors;
	REQUIRE(run, after <= before, "four opens and closes left %u file descriptors more", after - before);
}

static void failed_opens_leave_no_descriptors(conform_run *run, const conform_case *self)
{
	(void)self;
	if (!conform__target_ready(run)) return;
	const hy_option option = {.key = "no-such-option", .value = "1"};
	uint32_t before = 0;
	for (int i = 0; i < 8; i++) {
		hy_device *device = NULL;
		const hy_status status = run->table.device_open(run->table.ctx, run->device_index, &option, 1, &device);
		REQUIRE(run, status != HY_OK, "device_open with an unknown option is OK");
		if (i == 0) before = conform__process_descriptors();
	}
	const uint32_t after = conform__process_descriptors();
	REQUIRE(run, after <= before, "seven refused opens left %u file descriptors", after - before);
}

static void gives_threads_back(conform_run *run, const conform_case *self)
{
	(void)self;
	if (!work(run, 2)) return;
	const uint32_t before = facts_now().threads;
	for (int i = 0; i < 4; i++)
		if (!work(run, 2)) return;
	uint32_t after = facts_now().threads;
	for (int i = 0; i < 200 && after > before; i++) { /* an ended thread's entry goes a moment later */
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
		after = facts_now().threads;
	}
	REQUIRE(run, after <= before, "four opens and closes left %u threads more", after - before);
}

static void prints_nothing(conform_run *run, const conform_case *self)
{
	fflush(NULL);
	const int file = memfd_create("printed", MFD_CLOEXEC), out = dup(STDOUT_FILENO), err = dup(STDERR_FILENO);
	dup2(file, STDOUT_FILENO);
	dup2(file, STDERR_FILENO);
	work(run, self->number);
	fflush(NULL);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	char text[200];
	const ssize_t length = pread(file, text, sizeof(text) - 1, 0);
	close(file);
	close(out);
	close(err);
	CONTINUE(run);
	text[length > 0 ? length : 0] = '\0';
	REQUIRE(run, length <= 0, "it printed: %s", text);
}

void conform__check_abi_list(conform_list *list)
{
	const conform_case l0 = {.info = {.group = "abi", .rule = "P1", .level = HY_CONFORM_L0}, .alone = true};
	conform_case item = l0;
#define ADD(function, checked_rule, ...) \
	item.check = function;           \
	item.info.rule = checked_rule;   \
	conform__list_add(list, &item, __VA_ARGS__)
	ADD(loads, "P8", "abi.load.library_and_symbol");
	ADD(exports_one_symbol, "P8", "abi.load.one_symbol_exported");
	ADD(names_itself, "P1", "abi.load.name_and_version");
	ADD(loads_a_hundred_times, "P8", "abi.load.hundred_times");
	for (item.number = 16; item.number <= (int64_t)sizeof(hy_plugin); item.number += 8) {
		ADD(table_of_size, "P1", "abi.table.older_host_%lld", (long long)item.number);
	}
	static const int64_t more[] = {8, 64, 1024};
	for (int i = 0; i < 3; i++) {
		item.number = (int64_t)sizeof(hy_plugin) + more[i];
		ADD(table_of_size, "P1", "abi.table.newer_host_plus_%lld", (long long)more[i]);
		item.number = (int64_t)sizeof(hy_host) + more[i];
		ADD(host_of_size, "P1", "abi.host.newer_plus_%lld", (long long)more[i]);
	}
	item.number = sizeof(hy_host);
	ADD(host_of_size, "P1", "abi.host.exact");
	static const int64_t info_sizes[] = {8, 24, 64, 128, sizeof(hy_device_info) - 8, sizeof(hy_device_info) + 64};
	for (size_t i = 0; i < sizeof(info_sizes) / sizeof(info_sizes[0]); i++) {
		item.number = info_sizes[i];
		ADD(info_of_size, "P1", "abi.device_info.size_%lld", (long long)item.number);
	}

	static const struct {
		const char *name;
		void (*check)(conform_run *, const conform_case *);
	} facts[] = {{"signal_handlers_kept", keeps_signal_handlers},
	             {"rounding_mode_kept", keeps_rounding_mode},
	             {"locale_kept", keeps_locale},
	             {"folder_and_mask_kept", keeps_folder_and_mask},
	             {"environment_kept", keeps_environment},
	             {"prints_nothing", prints_nothing}};
	for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
		item.number = 0;
		ADD(facts[i].check, "P7", "abi.process.%s_by_listing", facts[i].name);
	}
	item.info.level = HY_CONFORM_L1;
	for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
		item.number = 1;
		ADD(facts[i].check, "P7", "abi.process.%s_by_working", facts[i].name);
	}
	ADD(gives_descriptors_back, "P8", "abi.process.descriptors_given_back");
	ADD(gives_threads_back, "P8", "abi.process.threads_given_back");
	ADD(two_hosts_live_side_by_side, "P8", "abi.host.two_side_by_side");
	static const int64_t heap_sizes[] = {8, 16, 24, 32, sizeof(hy_heap_info) + 64};
	for (size_t i = 0; i < sizeof(heap_sizes) / sizeof(heap_sizes[0]); i++) {
		item.number = heap_sizes[i];
		ADD(heap_info_of_size, "P1", "abi.heap_info.size_%lld", (long long)item.number);
	}

	item.info.since = "1.1";
	item.number = sizeof(hy_heap_info) + 200;
	item.param = "heap";
	ADD(fuzzed_sizes, "P1", "abi.heap_info.fuzzed_sizes");
	item.info.level = HY_CONFORM_L0;
	item.number = sizeof(hy_device_info) + 200;
	item.param = "device";
	ADD(fuzzed_sizes, "P1", "abi.device_info.fuzzed_sizes");
	item.number = 4000;
	item.param = NULL;
	ADD(fuzzed_sizes, "P1", "abi.table.fuzzed_sizes");
	for (item.number = 8; item.number < (int64_t)sizeof(hy_host); item.number += 8) {
		ADD(host_of_size, "P1", "abi.host.older_%lld", (long long)item.number);
	}
	ADD(failed_opens_leave_no_descriptors, "P8", "abi.process.failed_opens_give_back");
#undef ADD
}
