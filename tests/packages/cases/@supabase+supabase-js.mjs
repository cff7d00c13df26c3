import { createClient } from "@supabase/supabase-js";

export default async function ({ upstream }) {
  const client = createClient(upstream, "key", { auth: { persistSession: false, autoRefreshToken: false } });
  const { data, error } = await client.from("notes").select("id,title").eq("id", 1).limit(1);
  const missing = await client.rpc("none");
  const { data: session } = await client.auth.getSession();
  return [data, error, missing.status, session];
}
