# staffetta_folder(PATH FLOOR n [LIBRARIES ...] [EMBED]) makes the static library of one
# folder from its *.c files and links it to every folder declared on a lower floor.
set(staffetta_folders "" CACHE INTERNAL "")

function(staffetta_folder path)
    cmake_parse_arguments(ARG "EMBED" "FLOOR" "LIBRARIES" ${ARGN})
    string(REPLACE "/" "_" name ${path})
    file(GLOB sources CONFIGURE_DEPENDS ${path}/*.c)
    if(NOT sources)
        return()
    endif()
    add_library(${name} STATIC ${sources})
    foreach(entry IN LISTS staffetta_folders)
        string(REPLACE ":" ";" entry "${entry}")
        list(GET entry 0 floor)
        list(GET entry 1 other)
        if(floor LESS ARG_FLOOR)
            target_link_libraries(${name} PUBLIC ${other})
        endif()
    endforeach()
    target_link_libraries(${name} PUBLIC ${ARG_LIBRARIES})
    if(ARG_EMBED)
        staffetta_embed(${name} ${path})
    endif()
    list(APPEND staffetta_folders "${ARG_FLOOR}:${name}")
    set(staffetta_folders "${staffetta_folders}" CACHE INTERNAL "")
endfunction()

# The *.sql, *.conf and *.json files of a folder become C strings in generated/PATH/embedded.h.
function(staffetta_embed name path)
    file(GLOB texts CONFIGURE_DEPENDS ${path}/*.sql ${path}/migrations/*.sql ${path}/*.conf
         ${path}/*.json)
    set(header ${CMAKE_BINARY_DIR}/generated/${path}/embedded.h)
    add_custom_command(
        OUTPUT ${header}
        COMMAND Python3::Interpreter ${CMAKE_SOURCE_DIR}/scripts/embed.py ${header} ${texts}
        DEPENDS ${texts} ${CMAKE_SOURCE_DIR}/scripts/embed.py)
    target_sources(${name} PRIVATE ${header})
endfunction()

# The top floor: the program itself, of the *.c files of one folder.  What follows the path are files
# of tests that are linked to a second program, NAME_probe, beside the same objects.
function(staffetta_program name path)
    file(GLOB sources CONFIGURE_DEPENDS ${path}/*.c)
    add_library(${name}_objects OBJECT ${sources})
    add_executable(${name})
    add_executable(${name}_probe ${ARGN})
    foreach(entry IN LISTS staffetta_folders)
        string(REPLACE ":" ";" entry "${entry}")
        list(GET entry 1 other)
        target_link_libraries(${name}_objects PUBLIC ${other})
    endforeach()
    target_link_libraries(${name} PRIVATE ${name}_objects)
    target_link_libraries(${name}_probe PRIVATE ${name}_objects)
endfunction()
