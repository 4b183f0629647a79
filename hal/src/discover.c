/* The search path of manifests, and the folder this library lies in. */
#include "discover.h"

#include "text.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fnmatch.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Folders that hold halyard/, relative to the folder of this library or executable, then absolute. */
static const char *const homes[] = {".", "../lib", HY_LIB_FROM_BIN, "/usr/local/lib", "/usr/lib"};
enum { HOMES = sizeof(homes) / sizeof(homes[0]) };

static const char here; /* its address tells which file this code was loaded from */

/* The folder of the library or executable that holds this code; free() it. */
static char *own_folder(void)
{
	Dl_info info;
	struct link_map *map = NULL;
	const bool known = dladdr1(&here, &info, (void **)&map, RTLD_DL_LINKMAP) != 0 && map != NULL;
	const bool is_program = !known || map->l_name[0] == '\0';
	char *path = realpath(is_program ? "/proc/self/exe" : map->l_name, NULL);
	char *slash = path == NULL ? NULL : strrchr(path, '/');
	if (slash != NULL) *slash = '\0';
	return path;
}

/* <home>/halyard/<leaf>; free() it. */
static char *in_home(const char *own, uint32_t home, const char *leaf)
{
	if (homes[home][0] == '/') return hy_hal__text_format("%s/halyard/%s", homes[home], leaf);
	return own == NULL ? NULL : hy_hal__text_format("%s/%s/halyard/%s", own, homes[home], leaf);
}

static int is_manifest(const struct dirent *entry)
{
	return fnmatch("[!.]*.yaml", entry->d_name, 0) == 0;
}

static bool is_known(const hy_hal__discovered *found, const char *name, const char **out_winner)
{
	for (uint32_t i = 0; i < found->count; i++) {
		if (strcmp(strrchr(found->paths[i], '/') + 1, name) != 0) continue;
		*out_winner = found->paths[i];
		return true;
	}
	return false;
}

static hy_status add_file(hy_hal__discovered *found, const char *folder, const char *name, const hy_hal__log *log)
{
	const char *winner = NULL;
	if (is_known(found, name, &winner)) {
		if (strncmp(winner, folder, strlen(folder)) != 0)
			hy_hal__log_write(log, HY_LOG_INFO, "hal", "%s/%s is hidden by %s", folder, name, winner);
		return HY_OK;
	}
	char **paths = realloc(found->paths, (found->count + 1) * sizeof(*paths));
	if (paths == NULL) return HY_NO_MEMORY;
	found->paths = paths;
	paths[found->count] = hy_hal__text_format("%s/%s", folder, name);
	if (paths[found->count] == NULL) return HY_NO_MEMORY;
	found->count++;
	return HY_OK;
}

/* take_folder may be NULL: there is none, or memory was exhausted while naming it. A folder that is not there is worth
 * a word when somebody asked for it. */
static hy_status add_folder(hy_hal__discovered *found, char *take_folder, bool is_asked, const hy_hal__log *log)
{
	char *folder = take_folder == NULL ? NULL : realpath(take_folder, NULL);
	if (folder == NULL) {
		if (take_folder != NULL && is_asked)
			hy_hal__log_write(log, HY_LOG_WARN, "hal", "manifests: %s: %s", take_folder, strerror(errno));
		free(take_folder);
		return HY_OK;
	}
	free(take_folder);
	struct dirent **entries = NULL;
	const int count = scandir(folder, &entries, is_manifest, alphasort);
	if (count < 0) hy_hal__log_write(log, HY_LOG_WARN, "hal", "manifests: %s: %s", folder, strerror(errno));
	hy_status status = HY_OK;
	for (int i = 0; i < count; i++) {
		if (status == HY_OK) status = add_file(found, folder, entries[i]->d_name, log);
		free(entries[i]);
	}
	free(entries);
	free(folder);
	return status;
}

static hy_status add_list(hy_hal__discovered *found, const char *folders, const hy_hal__log *log)
{
	hy_status status = HY_OK;
	while (status == HY_OK && *folders != '\0') {
		const size_t length = strcspn(folders, ":");
		if (length > 0) status = add_folder(found, strndup(folders, length), true, log);
		folders += length + (folders[length] == ':');
	}
	return status;
}

static char *user_folder(void)
{
	const char *config = secure_getenv("XDG_CONFIG_HOME");
	if (config != NULL && config[0] == '/') return hy_hal__text_format("%s/halyard/plugins.d", config);
	const char *home = secure_getenv("HOME");
	return home == NULL || home[0] != '/' ? NULL : hy_hal__text_format("%s/.config/halyard/plugins.d", home);
}

static hy_status add_defaults(hy_hal__discovered *found, const hy_hal__log *log)
{
	const char *path = secure_getenv("HALYARD_PLUGIN_PATH");
	char *own = own_folder();
	hy_status status = path == NULL ? HY_OK : add_list(found, path, log);
	if (status == HY_OK) status = add_folder(found, user_folder(), false, log);
	if (status == HY_OK) status = add_folder(found, strdup("/etc/halyard/plugins.d"), false, log);
	for (uint32_t i = 0; i < HOMES && status == HY_OK; i++)
		status = add_folder(found, in_home(own, i, "plugins.d"), false, log);
	free(own);
	return status;
}

hy_status hy_hal__discover(const char *folders, const hy_hal__log *log, hy_hal__discovered *out_found)
{
	*out_found = (hy_hal__discovered){0};
	const hy_status status = folders != NULL ? add_list(out_found, folders, log) : add_defaults(out_found, log);
	if (status != HY_OK) hy_hal__discovered_finish(out_found);
	return status;
}

void hy_hal__discovered_finish(hy_hal__discovered *found)
{
	for (uint32_t i = 0; i < found->count; i++)
		free(found->paths[i]);
	free(found->paths);
	*found = (hy_hal__discovered){0};
}

char *hy_hal__discover_probe(void)
{
	char *own = own_folder();
	char *path = NULL;
	for (uint32_t i = 0; i < HOMES && path == NULL; i++) {
		char *candidate = in_home(own, i, "halyard-probe");
		if (candidate != NULL && access(candidate, X_OK) == 0) path = realpath(candidate, NULL);
		free(candidate);
	}
	free(own);
	return path;
}
