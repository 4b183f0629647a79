/* External data: opened below the model's own folder only, mapped once per file. The location comes from the model and
 * is hostile; the folder is the user's. Refused as in ONNX's own checker: "..", absolute paths, links of both kinds. */
#include "onnx_read.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FILE_LIMIT 4096u
#define LOCATION_LIMIT 4096u
#define OPEN_FLAGS (O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)

hy_status hy_ir__onnx_map(int descriptor, const char *path, hy_ir__memory **out_memory, hy_error *error)
{
	struct stat info;
	if (fstat(descriptor, &info) != 0) return hy_error_set(error, HY_INVALID, "%s: %s", path, strerror(errno));
	if (!S_ISREG(info.st_mode)) return hy_error_set(error, HY_INVALID, "%s: is not a regular file", path);
	if (info.st_size == 0) return hy_error_set(error, HY_INVALID, "%s: the file is empty", path);
	const size_t length = (size_t)info.st_size;
	void *base = mmap(NULL, length, PROT_READ, MAP_PRIVATE, descriptor, 0);
	if (base == MAP_FAILED) return hy_error_set(error, HY_NO_MEMORY, "%s: %s", path, strerror(errno));
	hy_ir__memory *memory = hy_ir__memory_map(base, length);
	if (memory == NULL) {
		munmap(base, length);
		return hy_ir__no_memory(error);
	}
	*out_memory = memory;
	return HY_OK;
}

static const char *location_fault(const char *location)
{
	if (location[0] == '\0') return "is empty";
	if (location[0] == '/') return "is an absolute path: external data must lie beside the model";
	if (strlen(location) >= LOCATION_LIMIT) return "is longer than 4095 bytes";
	for (const char *at = location; at != NULL; at = strchr(at, '/')) {
		if (*at == '/') at++;
		if (strncmp(at, "..", 2) == 0 && (at[2] == '/' || at[2] == '\0'))
			return "leaves the model's folder: external data must lie beside the model";
	}
	return NULL;
}

static int refuse(hy_error *error, int descriptor, const char *location, hy_status status, const char *reason)
{
	if (descriptor >= 0) close(descriptor);
	hy_error_set(error, status, "external data '%.*s' %s", HY_IR__NAME_LIMIT, location, reason);
	return -1;
}

static int refuse_errno(hy_error *error, int number, const char *location)
{
	if (number == ELOOP || number == EXDEV || number == ENOTDIR)
		return refuse(error, -1, location, HY_INVALID,
		              "passes a symbolic link or a file: put the file itself beside the model");
	return refuse(error, -1, location, number == ENOENT ? HY_NOT_FOUND : HY_INVALID, strerror(number));
}

static int check_opened(int descriptor, const char *location, hy_error *error)
{
	struct stat info;
	if (fstat(descriptor, &info) != 0 || !S_ISREG(info.st_mode))
		return refuse(error, descriptor, location, HY_INVALID, "is not a regular file");
	if (info.st_nlink != 1)
		return refuse(error, descriptor, location, HY_INVALID,
		              "has more than one name (hard link): copy the file beside the model");
	return descriptor;
}

int hy_ir__onnx_open_below_stepwise(int folder, const char *location, hy_error *error)
{
	const char *fault = location_fault(location);
	if (fault != NULL) return refuse(error, -1, location, HY_INVALID, fault);
	char name[LOCATION_LIMIT];
	int at_folder = folder;
	for (const char *at = location;;) {
		const char *slash = strchr(at, '/');
		const size_t length = slash != NULL ? (size_t)(slash - at) : strlen(at);
		memcpy(name, at, length);
		name[length] = '\0';
		const int flags = slash != NULL ? O_PATH | O_DIRECTORY | O_CLOEXEC : OPEN_FLAGS;
		const int next = openat(at_folder, length > 0 ? name : ".", flags | O_NOFOLLOW);
		const int number = errno;
		if (at_folder != folder) close(at_folder);
		if (next < 0) return refuse_errno(error, number, location);
		if (slash == NULL) return check_opened(next, location, error);
		at_folder = next;
		at = slash + 1;
	}
}

int hy_ir__onnx_open_below(int folder, const char *location, hy_error *error)
{
	const char *fault = location_fault(location);
	if (fault != NULL) return refuse(error, -1, location, HY_INVALID, fault);
	const struct open_how how = {.flags = OPEN_FLAGS,
	                             .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
	const int descriptor = (int)syscall(SYS_openat2, folder, location, &how, sizeof(how));
	if (descriptor >= 0) return check_opened(descriptor, location, error);
	/* Old kernels answer ENOSYS, some sandboxes EPERM. */
	if (errno == ENOSYS || errno == EPERM || errno == EINVAL)
		return hy_ir__onnx_open_below_stepwise(folder, location, error);
	return refuse_errno(error, errno, location);
}

static hy_status file_at(hy_ir__onnx *onnx, const char *location, hy_ir__memory **out_memory)
{
	hy_error *error = onnx->error;
	for (uint32_t i = 0; i < onnx->file_count; i++) {
		if (strcmp(onnx->files[i].location, location) != 0) continue;
		*out_memory = onnx->files[i].memory;
		return HY_OK;
	}
	if (onnx->folder < 0)
		return hy_error_set(error, HY_INVALID, "external data '%.*s' can't be found: the model has no folder",
		                    HY_IR__NAME_LIMIT, location);
	if (onnx->file_count == FILE_LIMIT)
		return hy_error_set(error, HY_UNSUPPORTED, "more than %u external files: save all tensors to one",
		                    FILE_LIMIT);
	if (!hy_ir__grow(&onnx->files, onnx->file_count, &onnx->file_room, sizeof(onnx->files[0])))
		return hy_ir__no_memory(error);
	hy_error unused;
	if (error == NULL) error = &unused; /* -1 alone does not say why */
	const int descriptor = hy_ir__onnx_open_below(onnx->folder, location, error);
	if (descriptor < 0) return error->status;
	hy_ir__memory *memory = NULL;
	hy_status status = hy_ir__onnx_map(descriptor, location, &memory, error);
	close(descriptor);
	if (status != HY_OK) return status;
	onnx->files[onnx->file_count++] = (hy_ir__onnx_file){.location = location, .memory = memory};
	*out_memory = memory;
	return HY_OK;
}

static bool parse_decimal(const char *text, uint64_t *out_number)
{
	uint64_t number = 0;
	if (*text == '\0') return false;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9') return false;
		const uint64_t digit = (uint64_t)(*text - '0');
		if (number > (UINT64_MAX - digit) / 10) return false;
		number = number * 10 + digit;
	}
	*out_number = number;
	return true;
}

hy_status hy_ir__onnx_external_data(hy_ir__onnx *onnx, const hy_ir__onnx_external *external, uint64_t length_bytes,
                                    const void **out_data, hy_ir__memory **out_memory)
{
	uint64_t offset = 0, length = length_bytes;
	hy_ir__memory *memory = NULL;
	if (external->location == NULL)
		return hy_error_set(onnx->error, HY_INVALID, "its external data has no location");
	if (external->offset != NULL && !parse_decimal(external->offset, &offset))
		return hy_error_set(onnx->error, HY_INVALID, "external data: offset '%.*s' is no number",
		                    HY_IR__NAME_LIMIT, external->offset);
	if (external->length != NULL && !parse_decimal(external->length, &length))
		return hy_error_set(onnx->error, HY_INVALID, "external data: length '%.*s' is no number",
		                    HY_IR__NAME_LIMIT, external->length);
	if (length != length_bytes)
		return hy_error_set(onnx->error, HY_INVALID,
		                    "external data: length is %llu, but the shape needs %llu bytes",
		                    (unsigned long long)length, (unsigned long long)length_bytes);
	hy_status status = file_at(onnx, external->location, &memory);
	if (status != HY_OK) return status;
	const uint64_t size = hy_ir__memory_length(memory);
	if (length > size || offset > size - length)
		return hy_error_set(onnx->error, HY_INVALID,
		                    "external data '%.*s' has %llu bytes: %llu at offset %llu are not there",
		                    HY_IR__NAME_LIMIT, external->location, (unsigned long long)size,
		                    (unsigned long long)length, (unsigned long long)offset);
	*out_data = (const char *)hy_ir__memory_base(memory) + offset;
	*out_memory = hy_ir__memory_retain(memory);
	return HY_OK;
}
