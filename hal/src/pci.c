/* The PCI bus as sysfs shows it. */
#include "pci.h"

#include <dirent.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The hexadecimal number in a file, without its 0x; "" when it can't be read. */
static void read_id(const char *root, const char *address, const char *name, char id[16])
{
	char path[512];
	id[0] = '\0';
	snprintf(path, sizeof(path), "%s/sys/bus/pci/devices/%.32s/%s", root, address, name);
	FILE *file = fopen(path, "re");
	if (file == NULL) return;
	if (fscanf(file, "0x%15[0-9a-f]", id) != 1) id[0] = '\0';
	fclose(file);
}

static bool matches(const char *pattern, const char *whole)
{
	return fnmatch(pattern, whole, FNM_NOESCAPE) == 0;
}

static bool is_wanted(const char *root, const char *address, const hy_hal__manifest_list *patterns)
{
	char vendor[16], device[16], class[16], whole[64];
	read_id(root, address, "vendor", vendor);
	read_id(root, address, "device", device);
	read_id(root, address, "class", class);
	snprintf(whole, sizeof(whole), "pci:%s:%s:%s", vendor, device, class);
	for (uint32_t i = 0; i < patterns->count && vendor[0] != '\0'; i++)
		if (matches(patterns->items[i], whole)) return true;
	return false;
}

uint32_t hy_hal__pci_find(const char *root, const hy_hal__manifest_list *patterns, char *text, size_t size)
{
	char path[512];
	struct dirent **entries = NULL;
	uint32_t count = 0;
	size_t used = 0;
	text[0] = '\0';
	snprintf(path, sizeof(path), "%s/sys/bus/pci/devices", root);
	const int entry_count = scandir(path, &entries, NULL, alphasort);
	for (int i = 0; i < entry_count; i++) {
		const char *address = entries[i]->d_name;
		if (address[0] != '.' && is_wanted(root, address, patterns)) {
			if (used + strlen(address) + 2 < size)
				used += (size_t)snprintf(text + used, size - used, "%s%s", count > 0 ? " " : "",
				                         address);
			count++;
		}
		free(entries[i]);
	}
	free(entries);
	return count;
}
