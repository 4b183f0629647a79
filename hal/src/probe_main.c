/* halyard-probe LIBRARY [REQUIRED...]: loads one plugin, enters it, lists its devices, tells how that went, and dies with
 * it if it must. Started by the HAL; writes records (probe.h) to descriptor 3. */
#include "dylib.h"
#include "host.h"
#include "probe.h"

#include <dlfcn.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

static void tell(uint32_t kind, hy_status status, const char *text)
{
	unsigned char bytes[sizeof(hy_hal__probe_record) + HY_HAL__PROBE_RECORD_BYTES];
	const size_t length = strnlen(text, HY_HAL__PROBE_RECORD_BYTES);
	const hy_hal__probe_record head = {.kind = kind, .length = (uint32_t)length, .status = status};
	memcpy(bytes, &head, sizeof(head));
	memcpy(bytes + sizeof(head), text, length);
	const size_t whole = sizeof(head) + length;
	for (size_t done = 0; done < whole;) {
		const ssize_t written = write(HY_HAL__PROBE_FD, bytes + done, whole - done);
		if (written < 0 && errno == EINTR) continue;
		if (written <= 0) _exit(3);
		done += (size_t)written;
	}
}

static void stage(const char *text)
{
	tell(HY_HAL__PROBE_STAGE, HY_OK, text);
}

static void tell_export(void *payload, const char *name)
{
	(void)payload;
	if (strcmp(name, HY_PLUGIN_ENTRY) != 0 && strcmp(name, "_init") != 0 && strcmp(name, "_fini") != 0)
		tell(HY_HAL__PROBE_EXPORT, HY_OK, name);
}

static hy_status try_required(const char *name, hy_error *error)
{
	char text[96];
	snprintf(text, sizeof(text), "opening %s, which it requires", name);
	stage(text);
	if (dlopen(name, RTLD_LAZY | RTLD_LOCAL) != NULL) return HY_OK;
	const char *reason = dlerror();
	return hy_error_set(error, HY_NOT_FOUND, "requires %s: %s", name, reason != NULL ? reason : "not found");
}

static hy_status list_devices(const hy_plugin *table, hy_error *error)
{
	uint32_t count = 0;
	hy_hal__call call;
	stage("device_count");
	hy_hal__call_begin(&call);
	hy_status status = table->device_count(table->ctx, &count);
	status = hy_hal__call_end(&call, status, "plugin", "device_count", error);
	for (uint32_t i = 0; i < count && i < 256 && status == HY_OK; i++) {
		char text[32];
		hy_device_info info = {.size = sizeof(info)};
		snprintf(text, sizeof(text), "device_info(%" PRIu32 ")", i);
		stage(text);
		hy_hal__call_begin(&call);
		(void)table->device_info(table->ctx, i, &info); /* the host asks again, and says what is wrong */
		(void)hy_hal__call_end(&call, HY_OK, "plugin", "device_info", NULL);
	}
	return status;
}

static hy_status probe(const char *library, hy_error *error)
{
	static hy_hal__plugin plugin; /* reachable until the process ends, like the plugin */
	void *handle = NULL;
	stage("loading");
	hy_status status = hy_hal__dylib_open(library, &handle, error);
	if (status != HY_OK) return status;
	hy_hal__dylib_exports(handle, tell_export, NULL);
	const hy_plugin_entry entry = hy_hal__dylib_entry(handle);
	if (entry == NULL)
		return hy_error_set(error, HY_INCOMPATIBLE,
		                    "does not export %s: not a plugin, or built for another ABI", HY_PLUGIN_ENTRY);
	pthread_mutex_init(&plugin.lock, NULL);
	hy_hal__host_init(&plugin, HY_LOG_ERROR + 1);
	status = hy_hal__tickets_init(&plugin.tickets);
	if (status != HY_OK) return hy_error_set(error, status, "host memory exhausted");
	stage("entry");
	status = hy_hal__plugin_enter(&plugin, entry, error);
	if (status != HY_OK) return status;
	status = list_devices(&plugin.table, error);
	if (status != HY_OK || (plugin.table.flags & HY_PLUGIN_UNLOADABLE) == 0) return status;
	stage("shutdown");
	plugin.table.shutdown(plugin.table.ctx);
	return HY_OK;
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		fputs("halyard-probe is started by Halyard; try: halyard doctor\n", stderr);
		return 2;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
	hy_error error = {0};
	hy_status status = HY_OK;
	for (int i = 2; i < argc && status == HY_OK; i++)
		status = try_required(argv[i], &error);
	if (status == HY_OK) status = probe(argv[1], &error);
	fflush(NULL); /* what the plugin printed and nobody saw yet */
	tell(HY_HAL__PROBE_RESULT, status, error.text);
	_exit(0);
}
