import { PrismaClient } from "@prisma/client";

export default () => new PrismaClient().$queryRaw`select 1`;
