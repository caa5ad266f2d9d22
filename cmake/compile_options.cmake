# One set of options for every target: warnings are errors, the hardening that
# Debian's gcc and clang both know, and the sanitizer the preset asks for.
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE RelWithDebInfo)
endif()

add_compile_definitions(_GNU_SOURCE STAFFETTA_VERSION="${PROJECT_VERSION}")
add_compile_options(
    -Wall -Wextra -Wshadow -Wswitch-enum -Wstrict-prototypes -Wmissing-prototypes -Wvla
    -Wformat=2 -Wpointer-arith -Wwrite-strings -Wundef -Werror
    -fno-strict-aliasing -fno-omit-frame-pointer -fstack-protector-strong)
# Jumps end only where one may: by the name that the processor has for it.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|i.86)$")
    add_compile_options(-fcf-protection)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)$")
    add_compile_options(-mbranch-protection=standard)
endif()
add_link_options(-Wl,-z,relro,-z,now)
include_directories(${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR}/generated)

if(CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
    # assert() stays: a broken belief must stop the program, not the next customer's mail.
    string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_RELWITHDEBINFO "${CMAKE_C_FLAGS_RELWITHDEBINFO}")
    if(STAFFETTA_SANITIZE STREQUAL "")
        add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
    endif()
endif()

if(NOT STAFFETTA_SANITIZE STREQUAL "")
    add_compile_options(-fsanitize=${STAFFETTA_SANITIZE} -fno-sanitize-recover=all -O1)
    add_link_options(-fsanitize=${STAFFETTA_SANITIZE})
    string(MAKE_C_IDENTIFIER "STAFFETTA_SANITIZE_${STAFFETTA_SANITIZE}" sanitizer_name)
    string(TOUPPER "${sanitizer_name}" sanitizer_name)
    add_compile_definitions(${sanitizer_name}=1)
endif()
if(STAFFETTA_FUZZ)
    add_compile_options(-fsanitize=fuzzer-no-link)
endif()
if(STAFFETTA_COVERAGE)
    add_compile_options(--coverage -O0)
    add_link_options(--coverage)
endif()
