//! The words of English that the grammar of requests rests on.
//!
//! What a request is about and how hard it is are data of the rules; these lists are the grammar by which an order is
//! told from talk, and no matter of settings. Words stand in the form in which they are said.

// --- How a sentence is built: what is asked for, and what is only told.

/// After these a verb asks for something.
pub(super) const OPENERS: &str = "\
     and then or but also plus please just now only simply quickly first finally kindly afterwards next you we i \
     let's lets us must should can could would will shall may might need needs be help me go ahead again \
     carefully completely permanently immediately really safely manually fully directly todo task pls plz hey hi \
     ok okay so";

/// After these the form in `-ing` asks for something.
pub(super) const BEFORE_GERUND: &str = "\
     by start begin would could consider try about mind for on keep recommend suggest propose like require needs \
     need requires of finish";

/// Before `to` these tell of what is possible, not of what is wanted now.
pub(super) const ABILITIES: &str = "\
     able ability allow allows allowed let lets enable enables unable fail fails failed failing attempt attempts \
     attempting attempted tries trying tried way how option button endpoint method function command permission \
     permissions api hook possible possibility support feature refuses used test";

/// Where a clause that tells of circumstances begins.
pub(super) const CIRCUMSTANCES: &str = "\
     where when whenever if while after before because since that which who whether once until why how whom whose \
     unless";

/// What things do that do not work.
pub(super) const FAILINGS: &str = "\
     fails fail failed failing crashes crash crashed returns return throws throw hangs leaves leaving works work \
     does doesn't don't isn't is are takes gives causes breaks raises shows triggers panics errors error bug \
     stopped should shouldn't must can results leads wrong broken";

/// What makes a name of the word before it: `rename detection`, `count down`, `list view`.
pub(super) const COMPOUNDS: &str = "\
     view views aside time times page pages detection support timer feature dialog button handling mode flow \
     component down preview picker clause screen";

/// Verbs that name one thing together.
pub(super) const PAIRS: [(&str, &str); 9] = [
    ("drag", "drop"),
    ("copy", "paste"),
    ("cut", "paste"),
    ("find", "replace"),
    ("search", "replace"),
    ("pick", "place"),
    ("point", "click"),
    ("show", "hide"),
    ("try", "catch"),
];

/// Where something is only shown or named.
pub(super) const SURFACES: &str = "\
     page pages link links icon icons diagram diagrams result results section tab tabs badge screen menu button view \
     card cards label text title footer header banner tooltip tokens checkbox image picture logo heading article post \
     chapter slide poster glossary tile popup";

/// Where something is laid out to be seen, whose parts come and go without loss.
pub(super) const SHOWING: &str = "\
     layout sidebar menu menubar toolbar tooltip template pagination dropdown carousel footer navbar card widget \
     dialog modal css";

/// What begins a question.
pub(super) const QUESTIONS: &str = "\
     what which where who whose when how why is are was were do does did has have can could would will should \
     there whats any";

/// What makes a statement of a sentence that looks like an order.
pub(super) const STATING: &str = "\
     is are was were has have does do doesn't don't should must shouldn't isn't aren't shows show fails fail cuts \
     crashes hangs ignores loses breaks takes gets returns";

/// Verbs of possibility and duty.
pub(super) const MODALS: &str = "\
     can could may might should must will would shall need needs do does did to";

// --- Around a word of loss.

/// What may stand between a word and what makes it a request.
pub(super) const ADVERBS: &str = "\
     just now also simply please then permanently completely quickly safely immediately kindly really mass bulk \
     hard force batch irrevocably finally actually carefully entirely fully first next again totally irreversibly \
     silently accidentally automatically manually physically all already";

/// What makes a noun of the word behind it.
pub(super) const DETERMINERS: &str = "\
     the a an this that these those my our your their its his her any every each another some no";

/// Those who use the program.
pub(super) const USERS: &str = "\
     user users admin admins administrator customer customers member members owner owners author authors visitor \
     people they he she he/she editor editors moderator moderators guest player players";

/// What may follow a passive, which has no object behind it.
pub(super) const AFTER_PASSIVE: &str = "\
     by from on in before after now please today tonight at with as and or when if once first too also for to \
     soon again this tomorrow completely asap until within";

/// Verbs whose participle is the verb itself.
pub(super) const UNCHANGED: &str = "\
     reset shut cut put rid";

/// How something is that is not there any more.
pub(super) const ABSENT: &str = "\
     empty bare blank void vacant";

// --- Talk about losing things, which is no request.

/// Those who are spoken to, or speak.
pub(super) const PERSONS: &str = "\
     you we i someone somebody anyone anybody let's lets claude agent one us u y'all team ops bot please";

/// After these, what follows `that` is wanted.
pub(super) const WISHES: &str = "\
     sure ensure see care want wanted like wish ask insist demand need time guarantee arrange check prefer \
     suggest propose recommend";

/// Words that forbid the verb that they stand before.
pub(super) const NEGATIONS: &str = "\
     not never don't dont doesn't didn't won't can't cannot shouldn't mustn't without avoid avoiding neither nor \
     prevent prevents preventing refuse refuses instead rather stop stops no isn't nothing forbid forbids forbidding \
     disallow disallows reject rejects";

/// What it is not to have done what should be done.
pub(super) const REGRETS: &str = "\
     mistake error shame pity wrong bad stupid foolish silly risky dangerous negligent unwise madness folly waste \
     irresponsible unacceptable";

/// By these something is brought about.
pub(super) const CAUSING: &str = "\
     let lets let's make have get see want wish like help ensure";

/// Verbs that turn a negation into a request.
pub(super) const RENEWED: &str = "\
     forget hesitate fail keep wait need bother stop mind just only";

/// Verbs by which a program is written, tested and talked about.
pub(super) const WORKING: &str = "\
     add implement write create build design develop support introduce provide show display render hide test \
     cover document fix repair debug handle validate refactor rename improve extract style mock explain describe \
     review translate sketch prototype highlight animate parse port benchmark expose clarify log support allow \
     let enable investigate reproduce rework redesign simplify optimise optimize reword summarise summarize \
     compare move visualise visualize align centre center colour color localise localize type-check check verify \
     assert track audit analyse analyze diagnose confirm";

/// Verbs of what a program does, which somebody who wants one written says as orders.
pub(super) const PROGRAMMING: &str = "\
     cache prefill fetch load save store poll query connect sort group link draw mirror use parse format play click \
     scroll select filter paginate accept resolve return compute calculate convert join log retry subscribe sign split \
     map round escape encode decode hash index preload prefetch stream upload stub type annotate print compile";

/// Verbs that may be said of anything.
pub(super) const BLAND: &str = "\
     make put get give let have set bring turn take see reduce change ask want need be is can could would should do allow \
     keep go look";

/// What follows a noun that is not a part of another's name.
pub(super) const AFTER_NOUN: &str = "\
     is are was were be has have had can could may might must should shall will would do does did to of in on at from \
     into onto over under off out up down away that which who whose not no never none as than like without between \
     any anymore weren't wasn't aren't isn't shouldn't mustn't die go meet back once forget agree become";

/// Questions by which something is only looked up or explained.
pub(super) const ASKING: &str = "\
     explain describe document what where who when why summarise summarize mean difference which";

/// Programs that are written in order to be run on the real thing.
pub(super) const EXECUTABLES: &str = "\
     script query job cron cronjob command migration migrations playbook one-liner oneliner sql statement snippet \
     lambda pipeline runbook crontab schedule trigger procedure";

/// Parts of a program, and those who use it.
pub(super) const PARTS: &str = "\
     button dialog modal page endpoint route handler test tests spec feature option flag menu toast message \
     confirmation warning error hook function method class component form api ui docs documentation parser icon \
     event callback tool shortcut checkbox permission toggle notification example mock stub animation exception \
     bug crash prompt undo popup banner tooltip spinner screen view link badge unit integration regression \
     fixture coverage";

/// Verbs by which a matter is thought about.
pub(super) const WEIGHING: &str = "\
     consider considering weigh weighing regarding discuss discussing";

/// What is thought out before anything is lost.
pub(super) const PLANS: &str = "\
     design plan strategy architecture concept proposal policy rfc adr spec runbook checklist";

/// What things do that do not work.
pub(super) const TROUBLES: &str = "\
     fails fail failed failing crashes crash crashed crashing error errors bug bugs broken wrong wrongly \
     incorrectly panics panic hangs freezes shows throws raises raise throw doesn't doesnt don't isn't aren't \
     won't wasn't weren't didn't twice unexpectedly accidentally mistake mistakenly still though although blank \
     leaves leaving causes breaks triggers takes flickers slow slowly exception stopped unintentionally silently \
     supposed nothing returns gives works results leads stays remains reappears reappear come comes";

/// What is said of a thing that is out of order.
pub(super) const BROKEN: &str = "\
     fails fail failed failing crashes crash crashed crashing error errors bug bugs broken wrong wrongly incorrectly \
     panics hangs hang freezes throws raises slow slowly exception twice unexpectedly accidentally flickers flicker \
     returns shows causes breaks works ignores ignored missing";

/// Parts of a program that do something when something happens.
pub(super) const ACTORS: &str = "\
     app application client browser component page window tab request socket form modal program daemon widget \
     test";

/// What makes a statement of a sentence that looks like an order: `empty rows are shown`.
pub(super) const FINITE: &str = "\
     is are was were has have does do doesn't don't should shouldn't isn't aren't";

// --- Talk about commands.

/// Verbs by which a quoted command becomes one.
pub(super) const EXECUTING: &str = "\
     run execute use call issue invoke type apply launch perform enter eval paste try";

/// By these an order comes behind another.
pub(super) const AFTERWARDS: &str = "\
     then afterwards afterward next finally lastly subsequently later second third thereafter";

/// By these a command is done at its time.
pub(super) const MOMENTS: &str = "\
     when whenever once after if as before until";

/// Verbs by which all that is listed behind them is a matter of conversation.
pub(super) const RETELLING: &str = "\
     explain describe document mention summarise summarize clarify understand compare";

/// By these a command is a matter of conversation wherever they stand.
pub(super) const QUERYING: &str = "\
     what which why difference differences mean meaning between";

/// Before something in code these make it a part of what is named.
pub(super) const OF: &str = "\
     of for about between against like as than mention mentions explain describe document";

/// Between a part of a program and a command these say what the part has to do with it.
pub(super) const CONCERNING: &str = "\
     that which before when if for of against around about whenever whether";

/// By these a command in code is looked for, called by a test or kept from being run.
pub(super) const CHECKING: &str = "\
     test spec assert linter lint forbid refuse reject detect catch import usage reference mock never prevent \
     protect against warn complain";

/// Verbs by which a command is a matter of conversation.
pub(super) const TALKING: &str = "\
     explain describe document mention summarise summarize what why difference mean meaning docs documentation \
     understand clarify";

/// Those who are told of.
pub(super) const OTHERS: &str = "\
     it someone somebody everyone everybody nobody nothing anyone anybody";

/// By these what is quoted behind them is taken out of a text or changed in it.
pub(super) const REWRITING: &str = "\
     replace substitute change rename swap exchange quote highlight escape colour color";

/// Nouns whose quotation is text.
pub(super) const TEXTS: &str = "\
     string label text wording caption title heading word button message typo spelling comment tooltip \
     placeholder rename phrase sentence section menu example log warning parser keyword named called test syntax \
     grammar backtick backticks note lexer highlighter statement tokenizer completion linter detection detect";

// --- What a verb is done to.

/// Words for something that was named before.
pub(super) const PRONOUNS: &str = "\
     it them they these those this that both all everything stuff";

/// What a further object begins with, rather than a further verb.
pub(super) const OBJECT_BEGINNINGS: &str = "\
     the a an all every each any my our your their its his her this that these those some both old whole entire";

// --- Commands and scripts.

/// Programs that act on more than the files that git has.
pub(super) const PROGRAMS: &str = "\
     kubectl oc helm docker podman terraform tofu pulumi cdk serverless aws gcloud gsutil az heroku fly flyctl \
     vercel netlify gh glab doctl hcloud linode eksctl rails rake php artisan manage.py django-admin prisma \
     alembic flyway liquibase knex sequelize redis-cli mongo mongosh psql mysql sqlite3 systemctl launchctl zfs \
     zpool virsh vagrant lxc incus multipass minikube kind nomad consul vault etcdctl rabbitmqctl ansible wp \
     drush influx cqlsh supabase firebase wrangler ceph rclone restic borg velero argocd flux velero";

/// What may stand before the name of a program.
pub(super) const BEFORE_PROGRAMS: &str = "\
     sudo npx bundle exec python python3 then and run execute please doas time nohup docker-compose";

/// Arguments by which something is lost.
pub(super) const LOSING_ARGUMENTS: &str = "\
     rm rmi rb remove delete destroy drop dropdb purge prune reset flush flushall flushdb fresh wipe erase \
     uninstall undefine downgrade terminate kill stop down rollback evict drain revoke expire forget truncate \
     unlink nuke undo";

/// Calls by which a database loses something, as they are given to a program.
pub(super) const LOSING_CALLS: &str = "\
     dropdatabase deletemany deleteone destroyall deleteall removeall dropall";

/// Parts of names by which a script or a function says that it loses something.
pub(super) const LOSING_NAMES: &str = "\
     delete destroy drop purge wipe erase truncate nuke reset flush remove cleanup teardown uninstall terminate \
     rmtree dropdatabase deletemany destroyall deleteall removeall dropall flushall fresh";

/// Programs that run what a project has given a name.
pub(super) const TASK_RUNNERS: &str = "make npm yarn pnpm bun just rake task invoke gulp grunt gradle mix";

/// What such a name says to be lost.
pub(super) const LOST_BY_TARGETS: &str = "\
     db database databases data prod production staging all everything volumes tables schema cluster infra infrastructure \
     env environment backups storage buckets state";

/// Words by which something is run.
pub(super) const RUNNING: &str = "\
     run execute exec start trigger launch call invoke bash sh zsh source python python3 node perl ruby make";

// --- Small words by which a language is known.

/// Small words of English that are none of the languages below.
pub(super) const ENGLISH: &str = "\
     the and of to is are with for it this that from please should be we you our my your not when what which how \
     why where can could would into by all or if then than there have has does do its they them i as at but about \
     after before between each every new only out so up using was";

/// Small words of German, French, Spanish, Portuguese, Italian, Dutch, Polish and the Nordic languages that are no
/// English words.
pub(super) const OTHER_LANGUAGES: &str = "\
     der das den dem und ist nicht eine einen einem einer mit auf bitte für wie wir ich du im zu zum zur alle aus \
     bei dass soll kann werden wird sind um diese diesen le la les des du une est et dans pour sur avec pas que \
     qui nous vous je aux au cette ce s'il veuillez el los de las una y en por con para del esta este favor como \
     hay o os um uma da dos na nos não com il lo gli di che per non della nel questo favore een het van op niet \
     voor naar graag i w na jest proszę och att för ikke og til som med på av ett";

// --- Words that are understood in spite of a slip.

/// Words that are understood with one letter too many, too few, wrong or out of order.
pub(super) const SLIPPED_VERBS: &str = "\
     delete deletes deleted deleting deletion erase erased erasing destroy destroyed destroying truncate \
     truncated truncating overwrite obliterate decommission terminate eliminate discard remove removed removing \
     removal wiping purge purged purging annihilate eradicate unpublish revoke uninstall shutdown dropping \
     rollback";

/// Longer words, so that others are not taken for them.
pub(super) const SLIPPED_OBJECTS: &str = "\
     database databases production backups accounts credentials customers passwords password secrets cluster \
     buckets branches repository namespace everything volumes records history certificates";

/// Short verbs, of which only the order of letters is ever wrong.
pub(super) const SHORT_VERBS: &str = "\
     drop wipe kill nuke force";
