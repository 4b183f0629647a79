/* One file per program in $HALYARD_CACHE_DIR/opencl, $XDG_CACHE_HOME/halyard/opencl or ~/.cache/halyard/opencl. A file
 * tells its key and the hash of its bytes; what does not fit is as good as not there. */
#include "cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#define PATH_BYTES 4096
#define FOLDER_BYTES (256ull << 20)
#define FILE_BYTES (64ull << 20)

static const char suffix[] = ".clbin";

typedef struct header {
	char magic[8];
	hy_opencl_key key;
	uint64_t length, hash; /* of the binary behind it */
} header;

static const char magic[8] = {'H', 'Y', 'O', 'C', 'L', '0', '0', '1'};

static void say(const hy_device *device, const char *what, const char *path)
{
	const hy_host *host = device->plugin->host;
	char text[PATH_BYTES + 128];
	if (host->log_level > HY_LOG_INFO) return;
	snprintf(text, sizeof(text), "program cache: %s %s", what, path);
	host->log(host->ctx, HY_LOG_INFO, text, strlen(text));
}

static bool make_folders(char *path)
{
	for (char *at = strchr(path + 1, '/');; at = strchr(at + 1, '/')) {
		if (at != NULL) *at = '\0';
		const bool failed = mkdir(path, 0700) != 0 && errno != EEXIST;
		if (at != NULL) *at = '/';
		if (failed) return false;
		if (at == NULL) return true;
	}
}

static bool folder_of(char path[PATH_BYTES])
{
	const char *own = getenv("HALYARD_CACHE_DIR"), *common = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	int length = 0;
	if (own != NULL && own[0] == '/')
		length = snprintf(path, PATH_BYTES - 64, "%s/opencl", own);
	else if (common != NULL && common[0] == '/')
		length = snprintf(path, PATH_BYTES - 64, "%s/halyard/opencl", common);
	else if (home != NULL && home[0] == '/')
		length = snprintf(path, PATH_BYTES - 64, "%s/.cache/halyard/opencl", home);
	return length > 0 && length < PATH_BYTES - 64 && make_folders(path);
}

static bool file_of(hy_opencl_key key, char path[PATH_BYTES])
{
	if (!folder_of(path)) return false;
	const size_t used = strlen(path);
	snprintf(path + used, PATH_BYTES - used, "/%016llx%016llx%s", (unsigned long long)key.high,
	         (unsigned long long)key.low, suffix);
	return true;
}

hy_opencl_key hy_opencl_cache_key(const hy_device *device, const char *source, size_t length)
{
	XXH3_state_t *state = XXH3_createState();
	if (state == NULL) return (hy_opencl_key){0};
	const hy_opencl_found *found = device->found;
	XXH3_128bits_reset(state);
	XXH3_128bits_update(state, found->platform_name, sizeof(found->platform_name));
	XXH3_128bits_update(state, found->name, sizeof(found->name));
	XXH3_128bits_update(state, found->driver, sizeof(found->driver));
	XXH3_128bits_update(state, source, length);
	const XXH128_hash_t hash = XXH3_128bits_digest(state);
	XXH3_freeState(state);
	return (hy_opencl_key){hash.low64, hash.high64};
}

static bool read_all(int file, void *data, size_t length)
{
	for (size_t at = 0; at < length;) {
		const ssize_t got = read(file, (char *)data + at, length - at);
		if (got <= 0) return false;
		at += (size_t)got;
	}
	return true;
}

void *hy_opencl_cache_load(const hy_device *device, hy_opencl_key key, size_t *out_length)
{
	char path[PATH_BYTES];
	header head;
	struct stat status;
	void *binary = NULL;
	if (!file_of(key, path)) return NULL;
	const int file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0) return NULL;
	bool is_whole = fstat(file, &status) == 0 && read_all(file, &head, sizeof(head)) &&
	                memcmp(head.magic, magic, sizeof(magic)) == 0 && head.key.low == key.low &&
	                head.key.high == key.high && head.length > 0 && head.length <= FILE_BYTES &&
	                (uint64_t)status.st_size == head.length + sizeof(head);
	if (is_whole) binary = malloc(head.length);
	is_whole = binary != NULL && read_all(file, binary, head.length) &&
	           XXH3_64bits(binary, head.length) == head.hash;
	close(file);
	if (is_whole) {
		*out_length = head.length;
		return binary;
	}
	say(device, "not whole, made again:", path);
	free(binary);
	return NULL;
}

typedef struct entry {
	char name[64];
	uint64_t bytes;
	struct timespec time;
} entry;

static int older_first(const void *left, const void *right)
{
	const struct timespec *a = &((const entry *)left)->time, *b = &((const entry *)right)->time;
	if (a->tv_sec != b->tv_sec) return a->tv_sec < b->tv_sec ? -1 : 1;
	return (a->tv_nsec > b->tv_nsec) - (a->tv_nsec < b->tv_nsec);
}

/* Removes the oldest programs until the folder has room for more bytes. */
static void make_room(const char *folder, uint64_t more)
{
	DIR *dir = opendir(folder);
	if (dir == NULL) return;
	entry *entries = NULL;
	size_t count = 0;
	uint64_t total = more;
	for (struct dirent *at = readdir(dir); at != NULL; at = readdir(dir)) {
		struct stat status;
		const size_t length = strlen(at->d_name);
		if (length < sizeof(suffix) || length >= sizeof(entries->name) ||
		    strcmp(at->d_name + length - (sizeof(suffix) - 1), suffix) != 0 ||
		    fstatat(dirfd(dir), at->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		entry *grown = realloc(entries, (count + 1) * sizeof(*entries));
		if (grown == NULL) break;
		entries = grown;
		entries[count] = (entry){.bytes = (uint64_t)status.st_size, .time = status.st_mtim};
		memcpy(entries[count].name, at->d_name, length + 1);
		total += entries[count++].bytes;
	}
	if (count > 0) qsort(entries, count, sizeof(*entries), older_first);
	for (size_t i = 0; i < count && total > FOLDER_BYTES; i++) {
		if (unlinkat(dirfd(dir), entries[i].name, 0) == 0) total -= entries[i].bytes;
	}
	free(entries);
	closedir(dir);
}

void hy_opencl_cache_store(const hy_device *device, hy_opencl_key key, const void *binary, size_t length)
{
	char path[PATH_BYTES], fresh[PATH_BYTES + 16];
	if (length == 0 || length > FILE_BYTES || !folder_of(path)) {
		say(device, "no folder to write to", "");
		return;
	}
	make_room(path, length + sizeof(header));
	file_of(key, path);
	snprintf(fresh, sizeof(fresh), "%s.XXXXXX", path);
	const int file = mkostemp(fresh, O_CLOEXEC);
	if (file < 0) {
		say(device, "can't write", fresh);
		return;
	}
	header head = {.key = key, .length = length, .hash = XXH3_64bits(binary, length)};
	memcpy(head.magic, magic, sizeof(magic));
	const bool is_written = write(file, &head, sizeof(head)) == (ssize_t)sizeof(head) &&
	                        write(file, binary, length) == (ssize_t)length;
	const bool is_closed = close(file) == 0;
	if (is_written && is_closed && rename(fresh, path) == 0) return;
	unlink(fresh);
	say(device, "can't write", path);
}
