import { and, desc, eq, gt, relations, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/pg-proxy";
import { integer, pgTable, serial, text } from "drizzle-orm/pg-core";

export default async function () {
  const notes = pgTable("notes", { id: serial("id").primaryKey(), title: text("title").notNull(), likes: integer("likes").default(0) });
  const tags = pgTable("tags", { id: serial("id").primaryKey(), note: integer("note").references(() => notes.id) });
  const asked = [];
  const db = drizzle(async (text, params, method) => {
    asked.push([text, params, method]);
    return { rows: [[1, "Tea", 3]] };
  });
  const rows = await db
    .select()
    .from(notes)
    .where(and(eq(notes.title, "Tea"), gt(notes.likes, 1)))
    .orderBy(desc(notes.id))
    .limit(2);
  await db.insert(notes).values({ title: "x" }).onConflictDoNothing().returning({ id: notes.id });
  const joined = db
    .select({ n: sql`count(*)` })
    .from(notes)
    .leftJoin(tags, eq(tags.note, notes.id))
    .toSQL();
  return [rows, asked, joined, typeof relations];
}
