# cmake -DINPUT=file -DOUTPUT=file.c -DNAME=symbol -P embed.cmake: a text as a NUL-terminated array.
file(READ ${INPUT} hex HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
file(WRITE ${OUTPUT} "extern const char ${NAME}[];\nconst char ${NAME}[] = {${bytes}0};\n")
