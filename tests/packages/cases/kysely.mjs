import { DummyDriver, Kysely, PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler, sql } from "kysely";

export default async function () {
  const db = new Kysely({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (db) => new PostgresIntrospector(db),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
  });
  const query = db
    .selectFrom("notes")
    .innerJoin("tags", "tags.note", "notes.id")
    .select(["notes.id", sql`upper(title)`.as("t")])
    .where("likes", ">", 3)
    .orderBy("id", "desc");
  const { sql: text, parameters } = query.compile();
  return [
    text,
    parameters,
    await query.execute(),
    db.insertInto("notes").values({ a: 1 }).compile().sql,
    db.schema
      .createTable("x")
      .addColumn("id", "serial", (column) => column.primaryKey())
      .compile().sql,
  ];
}
