/* Shared objects by libdl, and their exported symbols from the loader's own tables. */
#include "dylib.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <link.h>
#include <string.h>
#include <sys/stat.h>

hy_status hy_hal__dylib_check(const char *path, hy_error *error)
{
	struct stat file;
	if (path[0] != '/') return hy_error_set(error, HY_INVALID, "%s: not an absolute path", path);
	if (stat(path, &file) != 0) return hy_error_set(error, HY_NOT_FOUND, "%s: %s", path, strerror(errno));
	if (!S_ISREG(file.st_mode)) return hy_error_set(error, HY_INVALID, "%s: not a regular file", path);
	if ((file.st_mode & S_IWOTH) != 0)
		return hy_error_set(error, HY_INVALID, "%s: everybody may write to it: chmod o-w", path);
	return HY_OK;
}

hy_status hy_hal__dylib_open(const char *path, void **out_library, hy_error *error)
{
	const hy_status status = hy_hal__dylib_check(path, error);
	if (status != HY_OK) return status;
	void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (library == NULL) {
		const char *text = dlerror();
		return hy_error_set(error, HY_INCOMPATIBLE, "the loader refuses it: %s", text != NULL ? text : path);
	}
	*out_library = library;
	return HY_OK;
}

void *hy_hal__dylib_find(const char *path)
{
	return dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD);
}

void hy_hal__dylib_close(void *library)
{
	if (library != NULL) dlclose(library);
}

hy_plugin_entry hy_hal__dylib_entry(void *library)
{
	hy_plugin_entry entry = NULL;
	void *symbol = dlsym(library, HY_PLUGIN_ENTRY);
	memcpy(&entry, &symbol, sizeof(entry));
	return entry;
}

/* The GNU hash section lists exactly the symbols that a library defines and exports: header {buckets, first symbol,
 * bloom words, shift}, bloom words, buckets, then one word per symbol whose low bit ends a chain. */
static void visit_gnu_hash(const uint32_t *hash, const ElfW(Sym) * symbols, const char *strings,
                           void (*visit)(void *payload, const char *name), void *payload)
{
	const uint32_t bucket_count = hash[0], first = hash[1];
	const uint32_t *buckets = hash + 4 + hash[2] * (sizeof(ElfW(Addr)) / sizeof(uint32_t));
	const uint32_t *chains = buckets + bucket_count;
	for (uint32_t i = 0; i < bucket_count; i++) {
		for (uint32_t symbol = buckets[i]; symbol >= first && symbol != 0; symbol++) {
			const unsigned type = symbols[symbol].st_info & 0xf;
			if (type == STT_FUNC || type == STT_OBJECT) visit(payload, strings + symbols[symbol].st_name);
			if ((chains[symbol - first] & 1) != 0) break;
		}
	}
}

void hy_hal__dylib_exports(void *library, void (*visit)(void *payload, const char *name), void *payload)
{
	struct link_map *map = NULL;
	if (dlinfo(library, RTLD_DI_LINKMAP, &map) != 0 || map == NULL) return;
	const uint32_t *hash = NULL;
	const ElfW(Sym) *symbols = NULL;
	const char *strings = NULL;
	for (const ElfW(Dyn) *entry = map->l_ld; entry->d_tag != DT_NULL; entry++) {
		const void *address = (const void *)entry->d_un.d_ptr;
		if (entry->d_tag == DT_GNU_HASH) hash = address;
		if (entry->d_tag == DT_SYMTAB) symbols = address;
		if (entry->d_tag == DT_STRTAB) strings = address;
	}
	if (hash != NULL && symbols != NULL && strings != NULL) visit_gnu_hash(hash, symbols, strings, visit, payload);
}
