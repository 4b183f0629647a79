/* Which functions on the PCI bus a manifest is about, without any driver. */
#ifndef HY_HAL_PCI_H
#define HY_HAL_PCI_H

#include "manifest.h"

/* Counts the functions that match one of the patterns ("pci:VENDOR:DEVICE:CLASS") and writes the addresses of the first
 * ones to text, separated by spaces. root: what stands before /sys/bus/pci; "" but in tests. */
uint32_t hy_hal__pci_find(const char *root, const hy_hal__manifest_list *patterns, char *text, size_t size);

#endif
