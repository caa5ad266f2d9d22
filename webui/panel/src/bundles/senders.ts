// Pages that are looked at one after the other come in one file: it packs better than many.
export { default as Domain } from "../pages/domain";
export { default as Domains } from "../pages/domains";
export { default as Networks } from "../pages/networks";
export { default as SetupSteps } from "../pages/setup_steps";
export { default as User } from "../pages/user";
export { default as Users } from "../pages/users";
