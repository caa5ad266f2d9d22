# The panel's pages, embedded in the folder that serves them.  Built from webui/panel by node and
# npm; -DPANEL_DIST=FOLDER takes pages that were built elsewhere (no node, no network), -DPANEL=OFF
# leaves them out.
option(PANEL "build the panel into the program (node, npm)" ON)
set(PANEL_DIST "" CACHE PATH "the panel as scripts/build_panel made it elsewhere")

function(staffetta_panel name)
    set(table ${CMAKE_BINARY_DIR}/generated/webui/panel_assets.c)
    set(dist "")
    set(sources "")
    if(PANEL AND PANEL_DIST)
        set(dist ${PANEL_DIST})
        file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${dist}/*)
    elseif(PANEL)
        set(dist ${CMAKE_BINARY_DIR}/panel)
        set(folder ${CMAKE_SOURCE_DIR}/webui/panel)
        file(GLOB_RECURSE inputs CONFIGURE_DEPENDS ${folder}/src/*)
        set(sources ${dist}/index.html)
        add_custom_command(
            OUTPUT ${dist}/index.html
            COMMAND ${CMAKE_SOURCE_DIR}/scripts/build_panel ${dist}
            DEPENDS ${inputs} ${folder}/package-lock.json ${folder}/tsconfig.json
                    ${folder}/build.mjs ${CMAKE_SOURCE_DIR}/scripts/build_panel
            COMMENT "Building the panel")
    endif()
    add_custom_command(
        OUTPUT ${table}
        COMMAND Python3::Interpreter ${CMAKE_SOURCE_DIR}/scripts/embed_assets.py ${table} ${dist}
        DEPENDS ${sources} ${CMAKE_SOURCE_DIR}/scripts/embed_assets.py)
    target_sources(${name} PRIVATE ${table})
endfunction()
