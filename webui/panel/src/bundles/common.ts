// What most pages have a use for comes with the first file: esbuild would make a file of its own for
// each set of pages that share something, and forty small files pack an eighth worse than five.
import "../core/csv";
import "../core/list";
import "../core/mail";
import "../core/overview";
import "../core/session";
import "../core/words";
import "../lib/passwords";
import "../lib/settings";
import "../ui/chips";
import "../ui/copy";
import "../ui/dialog";
import "../ui/form";
import "../ui/head";
import "../ui/list_view";
import "../ui/media";
import "../ui/quota";
import "../ui/secret";
import "../ui/state";
import "../ui/states";
import "../ui/sure";
import "../ui/table";
import "../ui/toast";
